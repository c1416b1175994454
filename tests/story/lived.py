"""A store that has seen everything: loads, a merge, statements, a split by hand, an erasure, quarantine, segments."""

from __future__ import annotations

import shutil
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

from identity_graph import IdentityGraph
from identity_graph.loaders import read_loader
from identity_graph.model import Identifier, Run, RunState
from identity_graph.policy import Policy
from identity_graph.world import NAMES, World
from tests.story.ingesting import EVENTS, jsonl, native, write
from tests.story.worlds import event, household, key, kiosk, numbered, person, save_segments, tell, world_ends

PEOPLE, SEED = 60, 11
BROKEN = "broken.jsonl"
POLICY = Policy.parse('[[similarity]]\nbetween = ["cookie"]\nby = ["ip"]\n')
_openings = count(1)


def files(folder: Path) -> Path:
    """The events of the world, and a file of which two lines are no records."""
    World(PEOPLE, SEED).write(folder)
    write(folder / BROKEN, jsonl(native(1), b"{broken", native(2, time="never"), native(3)))
    return folder


def load(graph: IdentityGraph, folder: Path) -> list[tuple[int, ...]]:
    """Load all files: read, accepted, duplicate, quarantined, suppressed of each."""
    runs = [graph.ingest.load(read_loader(source), folder / name) for source, name in NAMES.items()]
    runs.append(graph.ingest.load(EVENTS, folder / BROKEN))
    return [(run.read, run.accepted, run.duplicate, run.quarantined, run.suppressed) for run in runs]


def kept_life(folder: Path) -> Path:
    """A store with a life behind it, of the files in that folder; for tests that only read."""
    path = folder / "lived.db"
    with opened(f"sqlite:///{path}") as graph:
        live(graph, folder)
    return path


def copied_life(kept: Path, folder: Path) -> IdentityGraph:
    """A store of its own with that life."""
    for path in kept.parent.glob("lived.db*"):
        shutil.copy(path, folder / path.name)
    return opened(f"sqlite:///{folder / 'lived.db'}")


def opened(url: str) -> IdentityGraph:
    """No two give the same ids."""
    return IdentityGraph.open(url, POLICY, clock=world_ends, new_id=numbered(f"p{next(_openings):03d}-"))


def live(graph: IdentityGraph, folder: Path) -> None:
    """What `opened` answered, from the first event to the last resolution."""
    save_segments(graph)
    graph.computed.save("seen", {"measure": "DAYS_SINCE"})
    tell(graph, [event("one", 0, "cookie:one"), event("two", 1, "cookie:two", "cookie:three", "cookie:four")])
    load(graph, folder)
    graph.resolver.resolve()
    wide = [f"cookie:wide-{n}" for n in range(11)]
    tell(graph, [event("join", 2, "cookie:one", "cookie:two"), event("wide", 3, *wide), event("bare", 4)])
    tell(graph, [event("said", 5, "user_id:a", "user_id:b", same=[("user_id:a", "user_id:b")])])
    tell(graph, [event(f"reset{n}", 5, f"cookie:reset{n}", "ip:192.0.2.9") for n in range(3)])
    broken = event("late", 6, "email:zoe@example.org", name="a\nname", traits={"x": 'a\n"b'})
    tell(graph, [*kiosk(), *household(), broken])
    graph.stating.unlink(key("cookie:two"), key("cookie:four"), "two browsers")
    for victim in ("email:p1@example.org", "user_id:q03"):
        preview = graph.forget.preview(person(graph, victim))
        assert preview
        graph.forget.erase(preview.token)
    interrupted = Run("zz-run", "load", RunState.RUNNING, graph.clock(), source="crm", position=7, offset=70)
    interrupted = replace(interrupted, loader="crm", fingerprint="half", file="a/crm.csv", trail="t", policy="p")
    interrupted = replace(interrupted, normaliser=1, first_error="NOT_JSON, line 1", last_error="NOT_JSON, line 3")
    graph.store.operations.begin_run(interrupted)
    counts = graph.store.operations.counts()
    some = ("retired_persons", "suppressed_links", "pruned", "quarantined", "tombstones", "segments", "hubs")
    assert all(counts[name] for name in some), counts
    alike = graph.store.evidence.identifiers([key("cookie:reset0")])[0]
    assert alike and len(graph.store.persons.similar([alike.number])[0]) == 2


def whole(graph: IdentityGraph) -> dict[str, Any]:
    """All that there is, with ids, numbers and times; by the reads that services use."""
    store = graph.store
    table, values = store.evidence.identifier_table()
    keys = [
        Identifier(table.namespaces[space], value)
        for space, value in zip(table.namespace.tolist(), values, strict=True)
    ]
    rows = store.evidence.identifiers(keys)
    numbers = table.number.tolist()
    changes = store.persons.changes(limit=10**6)
    ids = sorted({id for one in changes for id in (one.person_id, *one.from_ids, *one.to_ids)})
    said = store.evidence.statements()
    links = store.evidence.link_table(table, values, graph.policy, said)
    counts = store.operations.counts()
    counts.pop("bytes", None)
    segments = [one for one in store.segments.segments() if one]
    return {
        "counts": counts,
        "identifiers": rows,
        "sightings": store.evidence.sightings(numbers),
        "events": store.evidence.events_of(numbers),
        "links": [column.tolist() for column in (links.a, links.b, links.count, links.first_seen, links.last_seen)],
        "statements": sorted(
            zip(*(column.tolist() for column in (said.a, said.b, said.time, said.apart, said.event)), strict=True)
        ),
        "persons": store.persons.persons(ids),
        "changes": changes,
        "suppressed": store.persons.suppressed(numbers),
        "similar": store.persons.similar(numbers),
        "pruned": [list(column) for column in store.persons.pruned()],
        "resolved": store.persons.resolved(),
        "runs": store.operations.runs(limit=10**6),
        "quarantined": store.operations.quarantined(limit=10**6),
        "computed": store.segments.computed(),
        "segments": [(one, store.segments.members(one.name, limit=10**6)) for one in segments],
        "digest": graph.digest(),
    }


def take_key(source: IdentityGraph, target: IdentityGraph) -> None:
    """The key of the tombstones goes along with a copy: by hand."""
    ours, theirs = source.store.transfer.key_place(), target.store.transfer.key_place()
    assert ours and theirs
    theirs.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(ours, theirs)


def assert_lives_on(copy: IdentityGraph, source: IdentityGraph, folder: Path) -> None:
    """The copy takes whatever comes as the source takes it. Both are changed."""
    digest = copy.digest()
    expected = load(source, folder)
    assert load(copy, folder) == expected
    assert sum(row[1] for row in expected) == 0 and sum(row[4] for row in expected) > 0
    assert copy.digest() == digest == source.digest()
    assert copy.resolver.resolve().message == "nothing changed"
    assert copy.resolver.resolve(full=True).message == "nothing changed"
    assert copy.digest() == digest
    half = Run("other", "load", RunState.RUNNING, copy.clock(), source="crm", loader="crm", fingerprint="half")
    assert copy.store.operations.begin_run(half).position == 7
    # What is new gets the numbers that it gets in the source.
    new = [event("new", 9, "email:new@example.org", "cookie:new")]
    for graph in (source, copy):
        graph.ingest.events(new)
        graph.resolver.resolve()
    found = [graph.store.evidence.events(["new"])[0] for graph in (source, copy)]
    assert found[0] == found[1] and found[0] is not None
    last = [graph.store.persons.changes(limit=10**6)[-1] for graph in (source, copy)]
    assert last[0].number == last[1].number
    assert copy.digest() == source.digest()
