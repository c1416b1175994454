"""Reading a store as it is, and writing one as another was."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path

import pytest

from identity_graph.errors import StoreError
from identity_graph.event_table import EventTable
from identity_graph.model import (
    ChangeKind,
    Event,
    Identifier,
    Origin,
    Quarantined,
    Reason,
    Refused,
    Run,
    RunState,
    Segment,
)
from identity_graph.store import open_store
from identity_graph.store.keyring import VARIABLE
from identity_graph.store.neo4j import transfer as on_neo4j
from identity_graph.store.protocols import (
    Erasure,
    EventColumns,
    IdentifierRow,
    PersonRow,
    Piece,
    SimilarRow,
    Standing,
    Store,
    SuppressedRow,
)
from identity_graph.store.sqlite import transfer as on_sqlite
from tests.store.building import NOW, array, batch, begin, change, event, load, publication, publish_persons

KEYS = {"email:a@x.org": 3, "cookie:c": 4, "ip:1.2.3.4": 8}
STATED = [("email:a@x.org", "cookie:c")]
EVENTS = [
    event("e6", "cookie:c", "email:a@x.org", time=NOW + 9, traits={"plan": "pro"}, same_person=STATED, received=7),
    event("e20", "ip:1.2.3.4", "cookie:c", source="app", properties={"n": 1}),
    event("e21"),
]
RUN = Run("r", "load", RunState.FAILED, NOW, source="crm", ended=NOW + 1, read=5, quarantined=5, position=5, offset=50)
RUN = replace(RUN, loader="crm", file="a/crm.csv", fingerprint="f", trail="t", policy="rules", normaliser=1)
RUN = replace(RUN, first_error="NOT_JSON, line 1", last_error="NOT_UTF8, line 5")


def columns(found: list[Event], numbers: list[int]) -> EventColumns:
    table = EventTable.of(found)
    return EventColumns(array(numbers), table, array(KEYS[f"{space}:{value}"] for space, value in table.named))


PERSONS = Piece(persons=[PersonRow(5, "p5", 10, 20, None), PersonRow(9, "p9", 11, 21, None)])
REST = Piece(
    persons=[PersonRow(2, "p2", 1, 2, 9)],
    identifiers=[
        IdentifierRow(3, Identifier("email", "a@x.org"), 5, 111, None),
        IdentifierRow(4, Identifier("cookie", "c"), 9, 112, None),
        IdentifierRow(8, Identifier("ip", "1.2.3.4"), None, 0, "HUB"),
    ],
    suppressed=[
        SuppressedRow(3, 4, Reason("LIMIT", "two", "email", ("a", "b"))),
        SuppressedRow(3, 8, Reason("OVERSIZED", "too many")),
    ],
    similar=[SimilarRow(3, 4, 0.1 + 0.2, NOW, (8,))],
    events=columns(EVENTS, [6, 20, 21]),
    changes=[
        replace(change(ChangeKind.CREATED, "p5"), number=4),
        replace(change(ChangeKind.MERGED, "p9", ["p2"], ["p9"]), number=6),
    ],
    runs=[RUN],
    quarantined=[Quarantined(11, "r", "crm", "crm", 3, 30, "NOT_JSON", "no", b"\xff\0{")],
    segments=[Segment("s", "", {"all": []}, 1, 2, 0)],
    members=[(Segment("s", "", {"all": []}, 1, 2, 0), ["p5", "p2", "p9"])],
    standing=Standing(30, "rules", 31, 12, 13, 14, 15),
)


@pytest.fixture
def restored(store: Store) -> Store:
    store.transfer.restore(PERSONS, "half")
    store.transfer.restore(REST, "whole")
    return store


def test_what_was_restored_is_there_as_it_was(restored: Store) -> None:
    """Under numbers with gaps, and with times of long ago."""
    store = restored
    assert store.transfer.mark() == "whole"
    rows = [*PERSONS.persons, *REST.persons]
    assert store.persons.persons(["p5", "p9", "p2"]) == rows == store.persons.persons_by_number([5, 9, 2])
    assert store.evidence.identifiers_by_number([3, 4, 8]) == REST.identifiers
    assert store.evidence.identifiers([Identifier.parse(key) for key in KEYS]) == REST.identifiers
    assert store.persons.suppressed([3]) == [REST.suppressed]
    assert store.persons.similar([3, 4, 8]) == [REST.similar, REST.similar, []]
    found = store.evidence.events(["e6", "e20", "e21"])
    assert [row and row.number for row in found] == [6, 20, 21]
    assert [row and row.identifiers for row in found] == [(3, 4), (4, 8), ()]
    assert found[0] and (found[0].event.time, found[0].event.received) == (NOW + 9, 7)
    assert found[0].event.traits == {"plan": "pro"}
    assert [row.number for row in store.evidence.events_of([4])[0]] == [20, 6]
    assert store.evidence.sources() in (["app", "web"], ("app", "web"))
    said = store.evidence.statements()
    assert (said.a.tolist(), said.b.tolist(), said.time.tolist()) == ([3], [4], [NOW + 9])
    assert store.persons.changes() == REST.changes
    assert store.operations.runs() == [RUN]
    assert store.operations.quarantined() == REST.quarantined
    assert store.segments.members("s") == ["p5", "p9"]
    assert [one and (one.created, one.evaluated, one.size) for one in store.segments.segments()] == [(1, 2, 2)]
    assert store.persons.resolved() == (30, "rules")
    assert store.transfer.standing() == REST.standing


def test_a_store_goes_on_where_the_other_was(restored: Store) -> None:
    store = restored
    assert store.operations.begin_run(replace(RUN, id="new")).id == "r"
    run = store.evidence.append(
        begin(store),
        batch([*EVENTS, event("new", "cookie:new")], refused=[Refused(Origin(1, 2, b"x"), "NOT_JSON", "x")]),
    )
    assert (run.duplicate, run.accepted, run.quarantined) == (3, 1, 1)
    [row] = store.evidence.events(["new"])
    assert row is not None and (row.number, row.identifiers) == (32, (13,))
    assert store.operations.newest_quarantined() == 16
    assert publish_persons(store, {"p": ["cookie:new"]}) == {"p": 14}
    store.persons.publish(publication(changes=[change(ChangeKind.SPLIT, "p")]))
    assert store.persons.changes()[-1].number == 15


def test_a_piece_is_written_as_a_whole_or_not_at_all(store: Store) -> None:
    store.transfer.restore(PERSONS, "half")
    before = store.operations.counts(), store.transfer.standing()
    twice = replace(REST, runs=[*REST.runs, *REST.runs])
    with pytest.raises(StoreError):
        store.transfer.restore(twice, "whole")
    assert (store.operations.counts(), store.transfer.standing()) == before
    assert store.transfer.mark() == "half"
    store.transfer.restore(REST, "whole")
    assert store.persons.count() == 2


# ---- reading


def test_a_new_store_stands_nowhere(store: Store) -> None:
    assert store.transfer.standing() == Standing()
    assert (store.transfer.mark(), store.transfer.key_check()) == (None, None)
    assert len(store.transfer.events(0, 9).numbers) == 0
    assert store.transfer.runs("", 9) == []
    assert store.transfer.tombstones(b"", 9) == []


def test_numbers_that_were_given_count_when_their_rows_are_gone(store: Store) -> None:
    run = store.evidence.append(
        begin(store),
        batch([event("a", "cookie:1"), event("b", "cookie:2")], refused=[Refused(Origin(1, 2, b"x"), "NOT_JSON", "x")]),
    )
    found = publish_persons(store, {"p1": ["cookie:1"], "p2": ["cookie:2"]})
    store.operations.release([one.number for one in store.operations.quarantined()])
    last = store.transfer.standing()
    assert last.resolved == 0 and last.policy == "rules"
    [row] = store.evidence.events(["b"])
    assert row and run.quarantined == 1
    store.privacy.erase(Erasure([found["p2"]], [row.number], ["b"], row.identifiers, [Identifier("cookie", "2")]))
    assert store.transfer.standing() == last == Standing(0, "rules", 2, 2, 2, 0, 1)


def test_events_are_read_in_order_and_in_pieces(restored: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    read = restored.transfer.events
    everything = read(0, 9)
    assert everything.numbers.tolist() == [6, 20, 21]
    assert everything.named.tolist() == [3, 4, 8]
    by_key = [(one.id, sorted(one.identifiers), one.traits, one.same_person, one.received) for one in everything.events]
    assert by_key[0] == (
        "e6",
        [Identifier("cookie", "c"), Identifier("email", "a@x.org")],
        {"plan": "pro"},
        [(Identifier("email", "a@x.org"), Identifier("cookie", "c"))],
        7,
    )
    assert [read(after, 1).numbers.tolist() for after in (0, 6, 20, 21)] == [[6], [20], [21], []]
    assert read(6, 9).named.tolist() == [4, 8]
    for module in (on_sqlite, on_neo4j):
        monkeypatch.setattr(module, "PIECE_CHARACTERS", 10)
    assert [read(after, 9).numbers.tolist() for after in (0, 6, 20, 21)] == [[6], [20, 21], [21], []]


def test_runs_and_tombstones_are_read_in_order_and_in_pieces(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "ab" * 32)
    made = [replace(RUN, id=f"r{n}", fingerprint=f"f{n}" if n else None, loader="crm" if n else "") for n in range(3)]
    for run in reversed(made):
        store.operations.begin_run(run)
    assert store.transfer.runs("", 9) == made
    assert store.transfer.runs("r0", 1) == [made[1]]
    store.privacy.erase(Erasure([], [], ["a", "b"], [], [Identifier("cookie", "1")]))
    found = store.transfer.tombstones(b"", 9)
    assert found == sorted(found) and len(set(found)) == 3 and {len(one) for one in found} == {32}
    assert store.transfer.tombstones(found[0], 1) == [found[1]]


def test_nothing_changes_while_it_is_held(store: Store, store_url: str) -> None:
    load(store, event("before", "cookie:b"))
    other = store if store_url.endswith(":memory:") else open_store(store_url)
    writer = threading.Thread(target=lambda: load(other, event("meanwhile", "cookie:m")))
    with store.transfer.hold():
        before = store.operations.counts()["events"]
        writer.start()
        writer.join(0.5)
        assert store.operations.counts()["events"] == before == 1
        assert store.transfer.events(0, 9).numbers.tolist() == [1]
    writer.join(120)
    assert store.operations.counts()["events"] == 2
    other.close()


# ---- the key of the tombstones


def test_tombstones_go_with_the_check_of_their_key(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, "ab" * 32)
    source = open_store("sqlite:///:memory:")
    source.privacy.erase(Erasure([], [], ["gone"], [], [Identifier("cookie", "gone")]))
    check, hashes = source.transfer.key_check(), source.transfer.tombstones(b"", 9)
    assert check
    assert store.transfer.has_key(check)
    store.transfer.restore(Piece(key_check=check, tombstones=hashes), "some")
    assert (store.transfer.key_check(), store.transfer.tombstones(b"", 9)) == (check, hashes)
    run = load(store, event("gone", "cookie:1"), event("e", "cookie:gone"), event("f", "cookie:2"))
    assert (run.suppressed, run.accepted) == (2, 1)
    source.close()


def test_a_store_says_whether_it_has_the_key(store_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "ab" * 32)
    with_key = open_store("sqlite:///:memory:")
    with_key.privacy.erase(Erasure([], [], ["gone"], [], []))
    check = with_key.transfer.key_check()
    assert check
    monkeypatch.delenv(VARIABLE)
    store = open_store(store_url)
    place = store.transfer.key_place()
    assert not store.transfer.has_key(check)
    assert place is None or not place.exists()
    for text, right in (("ab" * 32, True), ("cd" * 32, False)):
        monkeypatch.setenv(VARIABLE, text)
        if right:
            assert store.transfer.has_key(check)
        else:
            with pytest.raises(StoreError, match="another key") as caught:
                store.transfer.has_key(check)
            assert caught.value.code == "STORE_KEY"
    store.close()
    with_key.close()
