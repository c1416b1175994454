"""What really happened, written down while the files are: the answer that a resolution is measured against."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from identity_graph.errors import InputError
from identity_graph.model import Identifier
from identity_graph.normalise import normalise


@dataclass(frozen=True, slots=True)
class Truth:
    """`identifiers`: of everything that the files name, canonical, the owner's label, or None if it is shared or
    nobody's. `events`: of every event id, who acted, or None for a program.

    `records` counts the lines of each file, `repeated` how many of them are an event sent twice, `refused` the
    event ids whose record is broken; so a load of everything must accept sum(records) - repeated - len(refused).
    `cases` names some of the difficulties and the identifiers that they befell.
    """

    identifiers: Mapping[Identifier, str | None]
    events: Mapping[str, str | None]
    records: Mapping[str, int]
    repeated: int
    refused: frozenset[str]
    cases: Mapping[str, tuple[Identifier, ...]]

    def write(self, path: str | Path) -> None:
        """The same as one JSON document; identifiers by their key."""
        import orjson

        document = {
            "identifiers": {identifier.key: owner for identifier, owner in self.identifiers.items()},
            "events": dict(self.events),
            "records": dict(self.records),
            "repeated": self.repeated,
            "refused": sorted(self.refused),
            "cases": {name: [identifier.key for identifier in found] for name, found in self.cases.items()},
        }
        Path(path).write_bytes(orjson.dumps(document))


@dataclass(slots=True)
class Ledger:
    """Collects the truth. Values are raw here, as the files hold them; `truth` makes them canonical once each."""

    keep_events: bool = True
    events: dict[str, str | None] = field(default_factory=dict)
    refused: set[str] = field(default_factory=set)
    repeated: int = 0
    _owners: dict[str, dict[str, str | None]] = field(default_factory=lambda: defaultdict(dict))
    _cases: dict[str, dict[tuple[str, str], None]] = field(default_factory=lambda: defaultdict(dict))

    def saw(self, namespace: str, raw: str, owner: str | None) -> None:
        """A file names this value, which is the owner's. With two owners it is nobody's."""
        owners = self._owners[namespace]
        if owners.setdefault(raw, owner) != owner:
            owners[raw] = None

    def acted(self, event_id: str, actor: str | None) -> None:
        if self.keep_events:
            self.events[event_id] = actor

    def case(self, name: str, namespace: str, raw: str) -> None:
        self._cases[name][namespace, raw] = None

    def truth(self, records: Mapping[str, int]) -> Truth:
        identifiers: dict[Identifier, str | None] = {}
        for namespace in sorted(self._owners):
            for raw, owner in self._owners[namespace].items():
                identifier = normalise(namespace, raw, region="US")
                if identifiers.setdefault(identifier, owner) != owner:
                    identifiers[identifier] = None
        cases: dict[str, tuple[Identifier, ...]] = {}
        for name, places in sorted(self._cases.items()):
            found = dict.fromkeys(normalise(*place, region="US") for place in places)
            cases[name] = tuple(identifier for identifier in found if identifier in identifiers)
        return Truth(identifiers, self.events, records, self.repeated, frozenset(self.refused), cases)


def event_id(source: str, number: str) -> str:
    """Of a row whose number is one in its table alone, as the loaders make it."""
    return f"{source}:{number}"


def is_valid(namespace: str, raw: str) -> bool:
    """Whether ingestion takes the value."""
    try:
        normalise(namespace, raw, region="US")
    except InputError:
        return False
    return True
