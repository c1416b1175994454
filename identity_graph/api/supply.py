"""What a plan reads: the batches of a request without an event loop, and what is remembered between requests.

Resolvers ask as they ask `Reads`, and are answered at once where it is known. What is not known is asked for together,
when a level of the plan has named all that it needs.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Sequence
from typing import TYPE_CHECKING, Any

from identity_graph.api.batches import Batch

if TYPE_CHECKING:
    from identity_graph.api.context import Context
    from identity_graph.store.protocols import Store

LASTING = frozenset(
    {"persons", "persons_by_identifier", "identifiers", "members", "confidences", "profiles", "journeys", "sessions"}
    | {"links", "evidence", "events", "segments_of", "segments", "contains", "overlap", "changes"}
)
"""Reads whose answers are the same until somebody writes; others look at the clock, too."""

SHOWN = "shown"  # beside the reads: what plans have made of them
ROWS = 500_000  # remembered at most, a member, an event, a trait or an object of an answer being one
AT_ONCE = 5_000  # objects of an answer that an event loop makes itself


class Unsupplied(Exception):
    """It is not known, and is not to be read here."""


Known = dict[str, dict[Hashable, Any]]


class Remembered:
    """Between requests, until anybody writes to the store, through this process or another one."""

    def __init__(self, store: Store) -> None:
        self._version_of = store.version
        self._version: object = None
        self._known: Known = {}
        self._rows = 0

    def now(self) -> tuple[object, Known]:
        """What is known now, and of which version of the store that is; None where the store does not tell."""
        version = self._version_of()
        if version is None:
            return None, {}
        if version != self._version or self._rows > ROWS:
            self._known, self._rows = {name: {} for name in (SHOWN, *LASTING)}, 0
            self._version = version
        return version, self._known

    def keep(self, version: object, known: Known, supply: Supply) -> bool:
        """What came of it since `now()` gave the first two, unless somebody wrote meanwhile: then it answers False."""
        if version is None or self._version_of() != version:
            return False
        if known is not self._known:
            return True
        for name in known.keys() & supply.found.keys():
            known[name].update(supply.found[name])
            self._rows += sum(map(_rows, supply.found[name].values()))
        self._rows += supply.objects
        return True


class Later:
    """A value that is asked for and not there yet."""

    __slots__ = ("found", "key", "pick")

    def __init__(self, found: dict[Hashable, Any], key: Hashable, pick: Callable[[Any], Any]) -> None:
        self.found = found
        self.key = key
        self.pick = pick

    def value(self) -> Any:
        return self.pick(self.found[self.key])


class Supply:
    """Stands in for `Reads`. Without a `context` nothing is read: what is not known raises `Unsupplied`."""

    def __init__(self, known: Known, context: Context | None) -> None:
        self.found: Known = defaultdict(dict)
        self.waves = self
        self.objects = 0  # of the answer
        self.passing = False  # whether something was read that does not last
        self._known = known
        self._context = context
        self._asked: dict[str, dict[Hashable, None]] = defaultdict(dict)

    def __getattr__(self, name: str) -> Any:
        supplied = _Supplied(self, name, self._known.get(name, {}))
        setattr(self, name, supplied)
        return supplied

    def call(self, function: Callable[..., Any], *arguments: Any) -> Any:
        if self._context is None:
            raise Unsupplied
        self.passing = True
        return function(*arguments)

    def later(self, name: str, key: Hashable, pick: Callable[[Any], Any]) -> Later:
        if self._context is None:
            raise Unsupplied
        self._asked[name][key] = None
        return Later(self.found[name], key, pick)

    def count(self, objects: int) -> None:
        """Before they are made. Raises `Unsupplied` where nothing is read and they become too many."""
        self.objects += objects
        if self._context is None and self.objects > AT_ONCE:
            raise Unsupplied

    def shown(
        self, key: Hashable, sources: Sequence[Any], show: Callable[[Sequence[Any]], Sequence[Any]]
    ) -> Sequence[Any]:
        """`show` of them, which gives the same for equal sources under this key until somebody writes."""
        known = self._known.get(SHOWN, {})
        found = [known.get((key, source)) for source in sources]
        new = [source for source, answer in zip(sources, found, strict=True) if answer is None]
        if not new:
            return found
        before, self.passing = self.passing, False
        made = show(new)
        if not self.passing:
            self.found[SHOWN].update(zip([(key, source) for source in new], made, strict=True))
        self.passing |= before
        rest = iter(made)
        return [next(rest) if answer is None else answer for answer in found]

    def settle(self, column: Sequence[Any]) -> Sequence[Any]:
        """The column with everything in it read, by one call of each method."""
        while Later in set(map(type, column)):
            asked, self._asked = self._asked, defaultdict(dict)
            for name, keys in asked.items():
                assert self._context is not None
                batch: Batch[Any, Any] = getattr(self._context.reads, name)
                self.found[name].update(zip(keys, batch.read(list(keys)), strict=True))
            column = [one.value() if type(one) is Later else one for one in column]
        return column


class _Supplied:
    """One method of `Reads`, by its name."""

    __slots__ = ("_found", "_known", "_name", "_supply")

    def __init__(self, supply: Supply, name: str, known: dict[Hashable, Any]) -> None:
        self._supply = supply
        self._name = name
        self._known = known
        self._found = supply.found[name]

    def load(self, key: Hashable, pick: Callable[[Any], Any] | None = None) -> Any:
        try:
            value = self._known[key]
        except KeyError:
            self._supply.passing |= self._name not in LASTING
            if key not in self._found:
                return self._supply.later(self._name, key, pick or _as_it_is)
            value = self._found[key]
        return value if pick is None else pick(value)


def _as_it_is(value: Any) -> Any:
    return value


def _rows(value: Any) -> int:
    held = getattr(value, "traits", value)
    return 1 + len(held) if isinstance(held, tuple | list) else 1
