"""The digest's input: everything that was said, nothing of how or when it came."""

from __future__ import annotations

from pathlib import Path

import orjson

from identity_graph.model import Reason
from identity_graph.store import open_store
from identity_graph.store.protocols import Store, SuppressedRow
from tests.store.building import event, load, numbers, publication, publish_persons


def lines(store: Store) -> list[object]:
    return [orjson.loads(line) for line in store.operations.canonical_lines()]


def test_what_the_lines_say(store: Store) -> None:
    load(
        store,
        event("b", "user_id:1", "email:é@x.org", time=5, traits={"z": 1, "a": [None]}, received=1),
        event("a", same_person=[("user_id:2", "user_id:1")], time=6, source="crm", name="alias", properties={"p": {}}),
    )
    e, one, two = numbers(store, "email:é@x.org", "user_id:1", "user_id:2")
    publish_persons(store, {"p9": ["user_id:2"], "p1": ["user_id:1", "email:é@x.org"]})
    reason = Reason("LIMIT", "in words", "user_id", ("2", "1"))
    store.persons.publish(publication(suppressed=[SuppressedRow(min(one, two), max(one, two), reason)], scope=None))
    pair = ["user_id:1", "user_id:2"]
    assert lines(store) == [
        ["event", ["a", 6, "crm", "alias", pair, [pair], {}, {"p": {}}]],
        ["event", ["b", 5, "web", "Page Viewed", ["email:é@x.org", "user_id:1"], [], {"a": [None], "z": 1}, {}]],
        ["person", ["email:é@x.org", "user_id:1"]],
        ["person", ["user_id:2"]],
        ["suppressed", [*pair, "LIMIT", "user_id", ["1", "2"]]],
    ]
    assert e not in (one, two)


def test_the_way_there_leaves_no_trace(store: Store, tmp_path: Path) -> None:
    events = [event(f"e{n % 5}-{n}", f"cookie:{n % 7}", f"email:{n % 3}@x.org", time=n) for n in range(40)]
    load(store, *events)
    publish_persons(store, {"p1": ["cookie:1", "cookie:2"], "p2": ["cookie:3"]})
    other = open_store(f"sqlite:///{tmp_path / 'other.db'}")
    for each in reversed(events):
        load(other, each)
    publish_persons(other, {"q": ["cookie:1"]})
    found = publish_persons(other, {"q7": ["cookie:3"], "q8": ["cookie:2", "cookie:1"]})
    other.persons.publish(
        publication(created=["q9"], retired=[(found["q8"], -1)], members=[(n, -1) for n in two(other)])
    )
    assert lines(store) == lines(other)
    other.close()


def two(store: Store) -> list[int]:
    return numbers(store, "cookie:1", "cookie:2")


def test_lines_may_be_left_half_read(store: Store) -> None:
    load(store, *(event(f"e{n}", "cookie:1") for n in range(10)))
    half = iter(store.operations.canonical_lines())
    next(half)
    del half
    load(store, event("more", "cookie:1"))
    assert len(lines(store)) == 11
