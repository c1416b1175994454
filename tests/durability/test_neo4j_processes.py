"""Several processes on one Neo4j database: nothing is lost or doubled, nothing half done is seen."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from itertools import combinations
from multiprocessing.connection import Connection as Pipe
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

import pytest

from identity_graph import IdentityGraph
from identity_graph.errors import StoreError
from identity_graph.model import Identifier
from identity_graph.store import open_store
from tests.neo4j.database import asked, emptied
from tests.nursery import FORK
from tests.store.building import NOW, array, event, load, publication
from tests.story.ingesting import EVENTS, jsonl, native, write
from tests.story.worlds import new_graph

RECORDS, PARTS = 600, 3


def start(work: Callable[..., object], *arguments: object) -> tuple[Pipe, ForkServerProcess]:
    here, there = FORK.Pipe()
    process = FORK.Process(target=work, args=(there, *arguments))
    process.start()
    there.close()  # so that the end of the child is the end of what it says
    return here, process


def ended(*processes: ForkServerProcess) -> None:
    for process in processes:
        process.join(timeout=120)
    assert [process.exitcode for process in processes] == [0] * len(processes)


# ---- evidence


def load_part(pipe: Pipe, url: str, path: Path) -> None:
    with IdentityGraph.open(url) as graph:
        pipe.send("open")
        pipe.recv()
        run = graph.ingest.load(EVENTS, path, batch=40)
        pipe.send((run.read, run.accepted, run.duplicate))


def resolve_meanwhile(pipe: Pipe, url: str) -> None:
    with IdentityGraph.open(url) as graph:
        pipe.send("open")
        pipe.recv()
        times = 0
        while times < 2 or not pipe.poll():
            graph.resolver.resolve()
            times += 1
        pipe.send(times)


def pairs() -> Counter[tuple[str, str]]:
    """How often two identifiers were seen together, in all records."""
    found: Counter[tuple[str, str]] = Counter()
    for number in range(RECORDS):
        identifiers = native(number)["identifiers"]
        keys = {f"email:{identifiers['email']}", *(f"cookie:{value}" for value in identifiers["cookie"])}
        found.update(combinations(sorted(keys), 2))
    return found


def test_parts_that_overlap_are_loaded_at_once_while_another_process_resolves(neo4j_url: str, tmp_path: Path) -> None:
    """Every record is in two of the files, and all of them share identifiers."""
    whole = write(tmp_path / "whole.jsonl", jsonl(*map(native, range(RECORDS))))
    with new_graph() as alone:
        alone.ingest.load(EVENTS, whole)
        alone.resolver.resolve()
        digest = alone.digest()
    size, files = RECORDS // PARTS, []
    for part in range(PARTS):
        numbers = [number % RECORDS for number in range(part * size, (part + 2) * size)]
        files.append(write(tmp_path / f"part {part}.jsonl", jsonl(*map(native, numbers))))
    emptied(neo4j_url)
    children = [start(load_part, neo4j_url, path) for path in files]
    pipe, resolver = start(resolve_meanwhile, neo4j_url)
    for each in (pipe, *(pipe for pipe, _ in children)):
        assert each.recv() == "open"
    for each in (pipe, *(pipe for pipe, _ in children)):
        each.send("go")
    counts = [pipe.recv() for pipe, _ in children]
    pipe.send("stop")
    assert pipe.recv() > 1
    ended(resolver, *(process for _, process in children))
    assert [read for read, _, _ in counts] == [2 * size] * PARTS
    assert sum(accepted for _, accepted, _ in counts) == sum(again for _, _, again in counts) == RECORDS
    seen = asked(neo4j_url, "MATCH (a)-[link:SEEN_WITH]->(b) RETURN a.key AS a, b.key AS b, link.count AS times")
    assert {tuple(sorted((row["a"], row["b"]))): row["times"] for row in seen} == pairs() and len(seen) == len(pairs())
    with IdentityGraph.open(neo4j_url) as graph:
        graph.resolver.resolve()
        assert graph.digest() == digest


# ---- moments

PERSONS, MEMBERS, SECONDS, ENOUGH = 80, 10, 6.0, 5


def publish_to_and_fro(pipe: Pipe, url: str) -> None:
    """Everybody moves to the person beside, and back."""
    store = open_store(url)
    for turn in range(1, 10**6):
        if turn > ENOUGH and pipe.poll():
            break
        move(url, turn, store)
    pipe.send(turn)
    store.close()


def move(url: str, turn: int, store: Any) -> None:
    everybody = range(PERSONS * MEMBERS)
    members = [(1 + n, 1 + turn % 2 * PERSONS + n // MEMBERS) for n in everybody]
    store.persons.publish(publication(members=members, time=NOW + turn))


def test_what_is_read_while_another_process_publishes_is_of_one_moment(neo4j_url: str) -> None:
    store = open_store(emptied(neo4j_url))
    load(store, *(event(f"e{n}", f"cookie:{n}") for n in range(PERSONS * MEMBERS)))
    store.persons.publish(publication(created=[f"p{n}" for n in range(2 * PERSONS)]))
    move(neo4j_url, 0, store)
    some = [0, PERSONS * MEMBERS // 3, PERSONS * MEMBERS - 1]
    keys = [Identifier("cookie", str(n)) for n in some]

    def two_reads() -> set[bool]:
        first = store.persons.membership(array(1 + n for n in some[:2]))[1].tolist()
        return {person > PERSONS for person in [*first, *store.persons.membership(array([1 + some[2]]))[1].tolist()]}

    def one_read() -> set[bool]:
        found = store.persons.subgraph(keys, [], events=False)
        rows = [found.asked[key] for key in keys]
        return {row.person > PERSONS for row in rows}  # type: ignore[union-attr, operator]

    pipe, process = start(publish_to_and_fro, neo4j_url)
    seen: Counter[bool] = Counter()
    begun, told = time.monotonic(), False
    while not pipe.poll():
        if not told and time.monotonic() - begun > SECONDS and len(seen) == 2 and seen.total() > 20:
            pipe.send("stop")
            told = True
        for found in (store.moment(two_reads), one_read(), one_read(), one_read()):
            (beside,) = found
            seen[beside] += 1
    turns = pipe.recv()
    ended(process)
    assert turns > ENOUGH and told, (turns, seen)
    store.close()


def test_a_publication_that_nobody_came_back_from_is_waited_for_once(neo4j_url: str) -> None:
    """Its process died between saying that it commits and saying that it did."""
    store = open_store(emptied(neo4j_url))
    load(store, event("a", "cookie:1"))
    for read in (lambda: store.moment(store.persons.count), lambda: store.persons.subgraph([], [], events=False)):
        store.database._begin_turn()  # type: ignore[attr-defined]
        assert store.database._turn() < 0  # type: ignore[attr-defined]
        read()
        assert store.database._turn() > 0  # type: ignore[attr-defined]
    store.database._begin_turn()  # type: ignore[attr-defined]
    with store.transaction(), store.beside(store.persons.membership) as membership:
        assert not len(membership()[0])
    store.close()


# ---- nested transactions


def test_a_part_that_fails_while_another_process_writes_takes_all_back(
    neo4j_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where somebody goes on as if only the part had failed."""
    one, two = open_store(emptied(neo4j_url)), open_store(neo4j_url)
    database = one.database  # type: ignore[attr-defined]
    hold = database._hold

    def hold_later(mine: Any) -> None:
        mine.undo()
        load(two, event("other", "cookie:2"))
        hold(mine)

    load(one, event("before", "cookie:1"))
    with pytest.raises(StoreError) as after, one.transaction():
        load(one, event("outer", "cookie:3"))
        monkeypatch.setattr(database, "_hold", hold_later)
        with pytest.raises(StoreError) as caught, one.transaction():
            load(one, event("inner", "cookie:4"))
            raise ZeroDivisionError
        monkeypatch.undo()
        assert caught.value.code == "STORE_BUSY" and isinstance(caught.value.__context__, ZeroDivisionError)
        load(one, event("more", "cookie:4"))
    assert after.value.code == "STORE_FAILED"
    assert [row is not None for row in one.evidence.events(["before", "other", "outer", "inner", "more"])] == [
        *(True, True),
        *(False, False, False),
    ]
    load(one, event("again", "cookie:3", "cookie:4"))
    assert [identifier.key for identifier in known(one)] == ["cookie:1", "cookie:2", "cookie:3", "cookie:4"]
    one.close()
    two.close()


def known(store: Any) -> list[Identifier]:
    _, values = store.evidence.identifier_table()
    return sorted(Identifier("cookie", value) for value in values)
