"""What is accepted, a duplicate, set aside or kept out; and that the four add up."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from identity_graph.errors import StoreError
from identity_graph.event_table import EventTable
from identity_graph.model import Event, Identifier, Origin, Refused, Run, RunState
from identity_graph.repeated import Repeated
from identity_graph.store.protocols import Batch, Erasure, Store
from tests.store.building import NOW, batch, begin, event, load


def adds_up(run: Run) -> bool:
    return run.read == run.accepted + run.duplicate + run.quarantined + run.suppressed


def test_new_events_are_accepted_and_the_run_moves_on(store: Store) -> None:
    run = begin(store)
    after = store.evidence.append(run, batch([event("a", "email:a@x.org"), event("b")], position=2, offset=77))
    assert (after.read, after.accepted, after.position, after.offset) == (2, 2, 2, 77)
    assert adds_up(after)
    assert store.operations.runs() == [after]


@pytest.mark.parametrize("width", [1, 2, 0])
def test_columns_of_one_value_are_stored_as_those_of_many(width: int, store: Store) -> None:
    """Also where events have not equally many identifiers (0), and where some are there already."""
    load(store, event("e3", "cookie:c3"), event("old", "cookie:c2"))
    told: dict[str, Any] = {"traits": {"plan": "free"}, "source": "shop"} if width == 2 else {}
    events = [event(f"e{n}", *[f"cookie:c{n}", f"user_id:{n % 3}"][: width or 1 + n % 2], **told) for n in range(5)]
    plain = EventTable.of([one for one in events if one.id != "e3"])
    alike: dict[str, Any] = {
        name: Repeated(getattr(plain, name)[0], len(plain))
        for name in ("times", "sources", "names", "received", "traits", "properties")
    }
    run = store.evidence.append(begin(store), replace(batch(plain), events=replace(plain, **alike)))
    assert (run.accepted, run.quarantined) == (4, 0)
    rows = store.evidence.events(plain.ids)
    assert [row and list(row.event) for row in rows] == [
        [*one[:4], tuple(sorted(one.identifiers, key=lambda seen: seen.key)), *one[5:]]
        for one in events
        if one.id != "e3"
    ]
    assert store.operations.counts()["events"] == 6


def test_an_event_comes_back_as_it_went_in(store: Store) -> None:
    given = event(
        "order-1",
        "user_id:7",
        "email:ann@example.org",
        time=-62_135_596_800_000_000,
        source="shop",
        name="Order Completed",
        traits={"name": "Ann \u0001 Ünï 🎉", "age": 7, "ratio": 0.1, "tags": ["b", "a"], "none": None},
        properties={"total": 10**30, "lines": [{"z": 1, "a": 2}]},
        same_person=[("user_id:7", "email:ann@example.org")],
        received=5,
    )
    load(store, given)
    [row] = store.evidence.events(["order-1"])
    assert row is not None
    by_key = (Identifier("email", "ann@example.org"), Identifier("user_id", "7"))
    assert row.event.properties["total"] == pytest.approx(10**30)
    assert row.event._replace(properties=given.properties) == given._replace(identifiers=by_key, same_person=(by_key,))
    assert len(row.identifiers) == 2


@pytest.mark.parametrize(
    "again",
    [
        event("a", "email:a@x.org", "cookie:c", traits={"x": 1, "y": 2}),
        event("a", "cookie:c", "email:a@x.org", traits={"y": 2, "x": 1}),
        event("a", "cookie:c", "email:a@x.org", traits={"y": 2, "x": 1}, received=9),
    ],
    ids=["same", "another order", "received later"],
)
def test_equal_content_is_a_duplicate(store: Store, again: Event) -> None:
    load(store, event("a", "email:a@x.org", "cookie:c", traits={"x": 1, "y": 2}))
    run = load(store, again)
    assert (run.read, run.accepted, run.duplicate, run.quarantined) == (1, 0, 1, 0)
    assert store.operations.counts()["events"] == 1


REUSED = {
    "time": (event("a", "email:a@x.org", time=1), "time"),
    "source": (event("a", "email:a@x.org", source="another"), "source"),
    "known source": (event("a", "email:a@x.org", source="crm"), "source"),
    "name": (event("a", "email:a@x.org", name="Other"), "name"),
    "new identifier": (event("a", "email:a@x.org", "cookie:new"), "identifiers"),
    "known identifier": (event("a", "email:a@x.org", "cookie:known"), "identifiers"),
    "fewer identifiers": (event("a"), "identifiers"),
    "traits": (event("a", "email:a@x.org", traits={"x": 1}), "traits.x"),
    "properties": (event("a", "email:a@x.org", properties={"x": {"y": 1}, "a b": 2}), "properties.'a b', properties.x"),
    "stated": (
        event("a", "email:a@x.org", same_person=[("email:a@x.org", "cookie:known")]),
        "identifiers, same_person",
    ),
    "kept apart": (event("a", "email:a@x.org", apart=[("email:a@x.org", "cookie:known")]), "identifiers, apart"),
    "time and name": (event("a", "email:a@x.org", time=1, name="Other"), "time, name"),
}


@pytest.mark.parametrize(("other", "fields"), REUSED.values(), ids=REUSED)
def test_another_content_under_the_same_id_is_set_aside_with_its_bytes(store: Store, other: Event, fields: str) -> None:
    first = event("a", "email:a@x.org")
    load(store, first, event("k", "cookie:known", source="crm"))
    before = list(store.operations.canonical_lines()), store.operations.counts()["identifiers"]
    run = begin(store)
    run = store.evidence.append(run, Batch([other], [Origin(3, 44, b"raw \xff bytes")]))
    assert (run.read, run.accepted, run.duplicate, run.quarantined) == (1, 0, 0, 1)
    [record] = store.operations.quarantined()
    assert (record.code, record.line, record.offset, record.record) == ("ID_REUSE", 3, 44, b"raw \xff bytes")
    assert record.message == f"an event with the id 'a' is stored already, and this one differs in: {fields}"
    assert (record.run_id, record.source) == (run.id, "crm")
    assert (list(store.operations.canonical_lines()), store.operations.counts()["identifiers"]) == before


def test_a_time_that_the_run_gave_says_nothing(store: Store) -> None:
    """The first one's time stays, in a batch and in the store; what has a time of its own is another content."""
    first = event("a", "email:a@x.org", traits={"x": 1}, time=5)
    store.evidence.append(begin(store, default_time=5), batch([first, event("c"), event("c", time=9)]))
    later = [one._replace(time=7) for one in (first, event("b"), event("b"), event("c"))]
    run = store.evidence.append(begin(store, default_time=7), batch([*later, first._replace(time=8)]))
    assert (run.accepted, run.duplicate, run.quarantined) == (1, 3, 1)
    run = store.evidence.append(begin(store, default_time=7), batch([first._replace(time=7, traits={"x": 2})]))
    assert (run.duplicate, run.quarantined) == (0, 1)
    said = [one.message.rpartition(": ")[2] for one in store.operations.quarantined()]
    assert said == ["time", "time", "traits.x"]
    assert [row and row.event.time for row in store.evidence.events(["a", "b", "c"])] == [5, 7, NOW]


def test_within_one_batch_the_first_of_an_id_counts(store: Store) -> None:
    a, same, other = event("a", "email:a@x.org"), event("a", "email:a@x.org"), event("a", "email:b@x.org")
    run = load(store, a, same, other, event("b", "email:a@x.org"))
    assert (run.read, run.accepted, run.duplicate, run.quarantined) == (4, 2, 1, 1)
    assert store.operations.quarantined()[0].message.endswith("differs in: identifiers")
    assert store.evidence.identifiers([Identifier("email", "b@x.org")]) == [None]


def test_refused_records_go_to_quarantine_with_the_batch(store: Store) -> None:
    refused = [Refused(Origin(2, 9, b"{"), "NOT_JSON", "line 2 is not JSON")]
    run = store.evidence.append(begin(store, loader="segment"), batch([event("a")], refused=refused))
    assert (run.read, run.accepted, run.quarantined) == (2, 1, 1)
    [record] = store.operations.quarantined()
    assert (record.code, record.message, record.record) == ("NOT_JSON", "line 2 is not JSON", b"{")
    assert record.loader == "segment"


def test_an_identifier_named_twice_is_seen_once(store: Store) -> None:
    load(store, event("a", "email:a@x.org", "email:a@x.org"))
    assert store.operations.counts()["observations"] == 1


def test_both_ends_of_a_stated_pair_are_observed(store: Store) -> None:
    load(store, event("a", "email:a@x.org", same_person=[("user_id:1", "user_id:2"), ("user_id:2", "user_id:1")]))
    [row] = store.evidence.events(["a"])
    assert row is not None
    assert [i.key for i in row.event.identifiers] == ["email:a@x.org", "user_id:1", "user_id:2"]
    assert row.event.same_person == ((Identifier("user_id", "1"), Identifier("user_id", "2")),)
    again = event("a", "email:a@x.org", "user_id:1", same_person=[("user_id:2", "user_id:1")])
    assert load(store, again).duplicate == 1


def test_an_identifier_stated_to_be_itself_says_nothing(store: Store) -> None:
    load(store, event("a", same_person=[("user_id:1", "user_id:1")]))
    assert load(store, event("a", "user_id:1")).duplicate == 1
    assert len(store.evidence.statements()) == 0


def test_a_run_that_moved_on_refuses_who_is_behind(store: Store) -> None:
    run = begin(store)
    store.evidence.append(run, batch([event("a")], position=1))
    before = list(store.operations.canonical_lines())
    with pytest.raises(StoreError) as caught:
        store.evidence.append(run, batch([event("b", "email:b@x.org")], position=1))
    assert caught.value.code == "SOURCE_CHANGED"
    assert list(store.operations.canonical_lines()) == before
    assert store.operations.counts()["identifiers"] == 0
    assert store.operations.runs()[0].read == 1


def test_a_run_that_ended_takes_nothing_more(store: Store) -> None:
    run = begin(store)
    store.operations.end_run(Run(run.id, run.kind, RunState.DONE, run.started, run.source, ended=run.started))
    with pytest.raises(StoreError) as caught:
        store.evidence.append(run, batch([event("a")]))
    assert caught.value.code == "SOURCE_CHANGED"


def test_an_empty_batch_moves_the_run_only(store: Store) -> None:
    run = store.evidence.append(begin(store), batch([], position=5, offset=50))
    assert (run.read, run.position, run.offset) == (0, 5, 50)


def test_a_batch_inside_a_transaction_that_fails_is_not_stored_nor_remembered(store: Store) -> None:
    run = begin(store)
    with pytest.raises(ZeroDivisionError), store.transaction():
        store.evidence.append(run, batch([event("a", "email:a@x.org", source="brand-new")]))
        raise ZeroDivisionError
    assert store.operations.counts()["events"] == 0
    # What the failed one had interned must not be taken for stored.
    store.evidence.append(run, batch([event("b", "cookie:c", "email:a@x.org", source="newer")]))
    [row] = store.evidence.events(["b"])
    assert row is not None
    assert [i.key for i in row.event.identifiers] == ["cookie:c", "email:a@x.org"]
    assert (row.event.source, list(store.evidence.sources())) == ("newer", ["newer"])


def test_a_failed_batch_leaves_the_outer_transaction_as_it_was(store: Store) -> None:
    run = begin(store)
    with store.transaction():
        after = store.evidence.append(run, batch([event("a", "email:a@x.org")], position=1))
        with pytest.raises(StoreError):
            store.evidence.append(run, batch([event("b", "email:b@x.org")], position=1))
        store.evidence.append(after, batch([event("c", "email:a@x.org")], position=2))
    assert [row is not None for row in store.evidence.events(["a", "b", "c"])] == [True, False, True]
    assert store.operations.counts()["identifiers"] == 1


def test_more_than_one_name_of_an_identifier_value(store: Store) -> None:
    load(store, event("a", "user_id:7", "cookie:7"), event("b", "cookie:7"))
    rows = store.evidence.identifiers([Identifier("cookie", "7"), Identifier("user_id", "7"), Identifier("email", "7")])
    assert rows[0] is not None and rows[1] is not None and rows[2] is None
    assert rows[0].number != rows[1].number
    assert [len(found) for found in store.evidence.events_of([rows[0].number, rows[1].number])] == [2, 1]


def test_what_was_erased_is_kept_out_and_counted(store: Store) -> None:
    gone = event("gone", "email:x@x.org")
    bad = Refused(Origin(1, 0, b'{"email": "x@x.org"'), "NOT_JSON", "line 1 is not JSON")
    store.evidence.append(begin(store), batch([gone, event("kept", "cookie:c")], refused=[bad]))
    [row] = store.evidence.events(["gone"])
    [record] = store.operations.quarantined()
    assert row is not None
    store.privacy.erase(
        Erasure(
            persons=[1],
            events=[row.number],
            event_ids=["gone"],
            identifiers=row.identifiers,
            tombstones=[Identifier("email", "x@x.org")],
            quarantined=[record.number],
        )
    )
    again = [gone, event("kept", "cookie:c"), event("new", "cookie:d", "email:x@x.org"), event("free", "cookie:e")]
    stating = event("stated", "cookie:d", same_person=[("cookie:d", "email:x@x.org")])
    run = store.evidence.append(begin(store), batch([*again, stating], refused=[bad, bad._replace(code="NOT_UTF8")]))
    assert (run.read, run.accepted, run.duplicate, run.quarantined, run.suppressed) == (7, 1, 1, 0, 5)
    assert store.evidence.identifiers([Identifier("email", "x@x.org"), Identifier("cookie", "d")]) == [None, None]
    assert store.operations.quarantined() == []
