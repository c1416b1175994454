"""The demo: a small world through the whole service, from event files to an erased person.

Everything it prints follows from the seed: clock and person ids are its own, so that the README can show it.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from identity_graph.api import execute
from identity_graph.cli.show import heading, print_path, print_table
from identity_graph.cli.views import COUNTS
from identity_graph.errors import StoreError
from identity_graph.files import data_folder
from identity_graph.loaders import read_loader
from identity_graph.model import Identifier, Run
from identity_graph.quality import measure
from identity_graph.service import IdentityGraph
from identity_graph.times import DAY, parse_time
from identity_graph.world import END, NAMES, Truth, World

SEGMENTS: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "regulars": (
        "ordered three times or more",
        {"event": {"names": ["Order Completed"], "is": {"range": {"from": 3}}}},
    ),
    "gold": ("of the loyalty programme", {"trait": {"name": "tier", "is": {"equals": "gold"}}}),
    "everywhere": (
        "known on the web, in the app and in the store",
        {"all": [{"identifier": {"namespace": name}} for name in ("anonymous_id", "device_id", "loyalty_id")]},
    ),
}


def show(people: int, seed: int) -> None:
    """Everything, in a temporary folder that is gone afterwards."""
    with TemporaryDirectory(prefix="identity-graph-") as name:
        folder = Path(name)
        truth = World(people, seed).write(folder)
        with _graph(folder) as graph:
            heading("1  Load", f"{people:,} people left traces in five files; every record is accounted for")
            _print_runs(_load(graph, folder))
            heading("2  Resolve", "identifiers that belong together become persons")
            graph.resolver.resolve()
            _print_quality(graph, truth)
            _save_segments(graph)
            heading("3  Ask", "one person, by the GraphQL query graphql/operations/person.graphql")
            chosen = _choose(graph)
            person = _ask(graph, chosen)
            assert person is not None
            _print_person(person)
            heading("4  Why", "are two of these identifiers one person?")
            _print_why(graph, person)
            heading("5  Forget", "the person is erased, and stays erased")
            _forget(graph, chosen, folder)
    print("\nNext: make serve")


def keep(url: str, people: int, seed: int, say: Callable[[str], None]) -> None:
    """Only the demo's world, loaded and resolved into an empty store. Raises STORE_OPEN where something is in it."""
    with IdentityGraph.open(url) as graph, TemporaryDirectory(prefix="identity-graph-") as name:
        if any(count for what, count in graph.store.operations.counts().items() if what != "bytes"):
            raise StoreError("STORE_OPEN", "the store is not empty", help="Name a new file, or an empty database.")
        World(people, seed).write(name)
        _load(graph, Path(name))
        run = graph.resolver.resolve()
        _save_segments(graph)
        say(f"A world of {people:,} people: {run.message}.")


@contextmanager
def _graph(folder: Path) -> Iterator[IdentityGraph]:
    """With a clock that stands the day after the world ends, and ids that count."""
    numbers = itertools.count(1)
    with IdentityGraph.open(
        f"sqlite:///{folder / 'people.db'}",
        signing_key=folder / "signing.pem",
        clock=lambda: parse_time(END) + DAY,
        new_id=lambda: f"01990000-0000-7000-8000-{next(numbers):012x}",
    ) as graph:
        yield graph


def _load(graph: IdentityGraph, folder: Path) -> list[Run]:
    return [graph.ingest.load(read_loader(source), folder / file) for source, file in NAMES.items()]


def _save_segments(graph: IdentityGraph) -> None:
    for name, (description, condition) in SEGMENTS.items():
        graph.segments.save(name, description, condition)


def _print_runs(runs: list[Run]) -> None:
    rows = [[file, *(getattr(run, count) for count in COUNTS)] for file, run in zip(NAMES.values(), runs, strict=True)]
    total = [sum(getattr(run, count) for run in runs) for count in COUNTS]
    print_table(["file", *COUNTS], rows, total=["", *total])


def _print_quality(graph: IdentityGraph, truth: Truth) -> None:
    counts = graph.store.operations.counts()
    members = {Identifier(namespace, value): person for person, namespace, value in graph.people.memberships().rows()}
    quality = measure(members, truth.identifiers)
    print(f"{counts['identifiers']:,} identifiers -> {counts['persons']:,} persons")
    print(
        f"{counts['hubs']} hubs (kiosks, call centres) join nobody; {counts['suppressed_links']} links are suppressed"
    )
    print(f"pairwise precision {quality.precision:.4f}, recall {quality.recall:.4f} against the truth")


def _choose(graph: IdentityGraph) -> Identifier:
    """A person worth looking at: many kinds of identifiers, all segments, and something shared with others."""
    kinds: dict[str, list[Identifier]] = {}
    for person_id, namespace, value in graph.people.memberships().rows():
        kinds.setdefault(person_id, []).append(Identifier(namespace, value))
    inside = dict(zip(kinds, graph.people.segments(list(kinds)), strict=True))

    def interest(person_id: str) -> tuple[int, int, int, str]:
        members = kinds[person_id]
        return (-len({one.namespace for one in members}), -len(inside[person_id]), abs(len(members) - 8), person_id)

    best = sorted(kinds, key=interest)[:10]
    previews = {person_id: graph.forget.preview(person_id) for person_id in best}
    with_shared = [person_id for person_id, preview in previews.items() if preview and preview.shared]
    members = kinds[(with_shared or best)[0]]
    return next((one for one in members if one.namespace == "email"), members[0])


def _ask(graph: IdentityGraph, who: Identifier) -> dict[str, Any] | None:
    query = (data_folder("graphql") / "operations" / "person.graphql").read_text(encoding="utf-8")
    by = {"identifier": {"namespace": who.namespace, "value": who.value}}
    response = execute(graph, query, {"by": by, "last": 6})
    assert "errors" not in response, response
    found: dict[str, Any] | None = response["data"]["person"]
    return found


def _print_person(person: dict[str, Any]) -> None:
    print(f"person {person['id']}, confidence {person['confidence']:.2f}")
    print(f"segments: {', '.join(one['name'] for one in person['segments'])}\n")
    keys = [[one["identifier"]["key"], one["confidence"]] for one in person["identifiers"]]
    print_table(["identifier", "confidence"], keys)
    print()
    traits = person["profile"]["traits"]
    print_table(
        ["trait", "value", "source", "time"],
        [[t["name"], str(t["value"]), t["source"], t["time"][:10]] for t in traits],
    )
    print(f"\nthe last {len(person['journey']['nodes'])} of {person['journey']['totalCount']} events:")
    nodes = person["journey"]["nodes"]
    print_table(
        ["time", "source", "event", "by"],
        [[n["time"][:19], n["source"], n["name"], n["attributedBy"]["key"]] for n in nodes],
    )


def _print_why(graph: IdentityGraph, person: dict[str, Any]) -> None:
    """For the two that are furthest from each other."""
    keys = [Identifier.parse(one["identifier"]["key"]) for one in person["identifiers"]]
    explained = [(a, graph.people.explain(a, b)) for a, b in itertools.combinations(keys, 2)]
    start, found = max(explained, key=lambda one: len(one[1].path))
    print(f"{found.message}\n")
    print_path(start, found.path)


def _forget(graph: IdentityGraph, who: Identifier, folder: Path) -> None:
    (person,) = graph.people.find_by_identifier([who])
    assert person is not None
    preview = graph.forget.preview(person.id)
    assert preview is not None
    shared = Counter(one.namespace for one in preview.shared)
    print(f"goes:  {preview.events} events, {len(preview.exclusive)} identifiers")
    print(f"stays: {', '.join(f'{count} {name}' for name, count in shared.items())}, which events of others hold too")
    receipt = graph.forget.erase(preview.token)
    print(f"The receipt counts {receipt.document['tombstones']} tombstones; verified: {receipt.document['verified']}")
    print(f"The same query finds {_found(graph, who)}.\n")
    before = graph.digest()
    print("The same five files once more:\n")
    _print_runs(_load(graph, folder))
    graph.resolver.resolve()
    print(f"\nThe same query finds {_found(graph, who)}.")
    same = "is what it was" if graph.digest() == before else "changed"
    print(f"The state of everybody else {same}: digest {before[:16]}")


def _found(graph: IdentityGraph, who: Identifier) -> str:
    return "nobody" if _ask(graph, who) is None else "somebody"
