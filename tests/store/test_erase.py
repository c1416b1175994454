"""Deleting what is of one person, and keeping it from coming back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from identity_graph.erasing import ErasureRequest, ErasureState
from identity_graph.errors import StoreError
from identity_graph.event_sum import event_sum
from identity_graph.model import ChangeKind, Event, Identifier, Origin, Reason, Refused, Segment
from identity_graph.store import open_store
from identity_graph.store.keyring import VARIABLE
from identity_graph.store.neo4j.store import Neo4jStore
from identity_graph.store.protocols import Erasure, SimilarRow, Store, SuppressedRow
from identity_graph.store.sqlite import layers
from tests.store.building import NOW, array, batch, begin, change, event, load, numbers, publication, publish_persons


def erasure(store: Store, person: str, ids: Sequence[str], keys: Sequence[str], **more: object) -> Erasure:
    """Of these events and identifiers; `person` need not exist, and several have blanks between."""
    found = store.persons.persons(person.split())
    events = [row.number for row in store.evidence.events(ids) if row is not None]
    identifiers = [Identifier.parse(key) for key in keys]
    persons = [one.number for one in found if one]
    near = store.evidence.identifier_table()[0].number.tolist()
    return Erasure(persons, events, ids, numbers(store, *keys), identifiers, near=near, **more)  # type: ignore[arg-type]


@pytest.fixture
def people(store: Store) -> Store:
    load(
        store,
        event("x1", "email:x@x.org", "cookie:x", same_person=[("email:x@x.org", "cookie:x")]),
        event("x2", "email:x@x.org", "ip:shared", name="Order"),
        event("y1", "email:y@x.org", "ip:shared"),
    )
    publish_persons(store, {"px": ["email:x@x.org", "cookie:x"], "py": ["email:y@x.org"], "old": []})
    [old, px] = store.persons.persons(["old", "px"])
    x, shared, y = numbers(store, "email:x@x.org", "ip:shared", "email:y@x.org")
    assert old is not None and px is not None
    quotes = Reason("LIMIT", "x@x.org and y@x.org", "email", ("email:x@x.org", "email:y@x.org"))
    store.persons.publish(
        publication(
            retired=[(old.number, px.number)],
            pruned=[(shared, "HUB")],
            suppressed=[
                SuppressedRow(min(x, y), max(x, y), quotes),
                SuppressedRow(min(shared, y), max(shared, y), quotes),
            ],
            scope=None,
            changes=[change(ChangeKind.MERGED, "px", came=["old"])],
        )
    )
    store.segments.save(Segment("all", "", {}, NOW, NOW, 0), ["px", "py", "old"])
    return store


def test_everything_of_the_person_goes_and_the_others_stay(people: Store) -> None:
    gone = erasure(
        people,
        "px",
        ["x1", "x2"],
        ["email:x@x.org", "cookie:x"],
        changes=[change(ChangeKind.ERASED, "px")],
    )
    y, shared = numbers(people, "email:y@x.org", "ip:shared")
    people.privacy.erase(gone)
    assert people.evidence.events(["x1", "x2"]) == [None, None]
    assert numbers(people, "email:x@x.org", "cookie:x") == []
    assert people.evidence.identifiers_by_number(gone.identifiers) == [None, None]
    assert people.evidence.events_of(gone.identifiers) == [[], []]
    assert people.evidence.sightings(gone.identifiers) == [None, None]
    assert len(people.evidence.statements()) == 0
    [[left]] = people.evidence.events_of([shared])
    assert left.event.id == "y1"
    assert set(people.evidence.observation_table().identifier.tolist()) == {y, shared}
    assert people.persons.persons(["px", "old"]) == [None, None]
    assert people.persons.persons_by_number(gone.persons) == [None]
    assert people.persons.membership()[0].tolist() == [y]
    assert people.persons.suppressed([y, shared]) == [[], []]
    assert people.segments.members("all") == ["py"]
    assert people.segments.of_persons(["px", "old"]) == [[], []]
    assert [each.kind for each in people.persons.changes(person_id="px")] == [ChangeKind.MERGED, ChangeKind.ERASED]
    counts = people.operations.counts()
    assert (counts["events"], counts["identifiers"], counts["persons"], counts["pruned"]) == (1, 2, 1, 1)
    assert people.privacy.tombstoned([Identifier("email", "x@x.org"), Identifier("email", "y@x.org")]) == [True, False]


def test_an_erasure_is_all_or_nothing(people: Store) -> None:
    before = list(people.operations.canonical_lines()), people.operations.counts()
    with pytest.raises(ZeroDivisionError), people.transaction():
        people.privacy.erase(erasure(people, "px", ["x1", "x2"], ["email:x@x.org", "cookie:x"]))
        raise ZeroDivisionError
    assert (list(people.operations.canonical_lines()), people.operations.counts()) == before
    assert people.privacy.tombstoned([Identifier("email", "x@x.org")]) == [False]


def test_other_persons_of_which_nothing_is_left_go_too(people: Store) -> None:
    people.privacy.erase(erasure(people, "px py", ["y1"], ["email:y@x.org"]))
    assert people.persons.persons(["px", "py"]) == [None, None]
    assert people.segments.members("all") == []


def test_numbers_of_erased_rows_are_not_given_again(people: Store) -> None:
    people.persons.publish(publication(resolved=people.evidence.arrived_since(0)[1]))
    resolved, _ = people.persons.resolved()
    gone = erasure(people, "py", ["y1"], ["email:y@x.org"])
    people.privacy.erase(gone)
    load(people, event("new", "cookie:new"))
    [row] = people.evidence.events(["new"])
    assert row is not None and row.number > resolved
    assert row.identifiers[0] not in gone.identifiers
    assert people.evidence.arrived_since(resolved)[0].tolist() == list(row.identifiers)
    assert publish_persons(people, {"pz": ["cookie:new"]})["pz"] not in gone.persons


def test_an_interned_identifier_is_forgotten_with_its_row(store: Store) -> None:
    run = store.evidence.append(begin(store), batch([event("a", "email:a@x.org"), event("b", "cookie:b")]))
    people = erasure(store, "nobody", ["a"], ["email:a@x.org"])
    store.privacy.erase(Erasure([], people.events, [], people.identifiers, []))
    store.evidence.append(run, batch([event("c", "email:a@x.org")]))
    [row] = store.evidence.events(["c"])
    assert row is not None and row.event.identifiers == (Identifier("email", "a@x.org"),)


def test_tombstones_are_of_a_kind(store: Store) -> None:
    """An event whose id reads like an erased identifier, and an identifier like an erased id, are free to come."""
    store.privacy.erase(Erasure([], [], ["email:x"], [], [Identifier("email", "x")]))
    run = load(store, event("identifier\0email\0x"[:10], "cookie:1"), event("e", "email:email:x"), event("email:x"))
    assert (run.accepted, run.suppressed) == (2, 1)
    assert store.privacy.tombstoned([Identifier("event", "email:x"), Identifier("email", "x")]) == [False, True]


def test_what_is_released_comes_back_in_new_events_alone(store: Store) -> None:
    gone = [Identifier("email", "x@x.org"), Identifier("email", "y@x.org")]
    store.privacy.erase(Erasure([], [], ["old"], [], gone))
    assert store.privacy.release([gone[0], Identifier("email", "other@x.org")]) == [True, False]
    assert store.privacy.release(gone[:1]) == [False] and store.privacy.release([]) == []
    assert store.privacy.tombstoned(gone) == [False, True]
    run = load(store, event("old", "email:x@x.org"), event("new", "email:x@x.org"), event("y", "email:y@x.org"))
    assert (run.accepted, run.suppressed) == (1, 2)


def test_who_is_restricted_is_known_by_identifier(people: Store) -> None:
    x, y = numbers(people, "email:x@x.org", "email:y@x.org")
    assert not people.privacy.restricted() and not people.privacy.restricted_persons()
    people.privacy.restrict([(x, 7), (y, 8)])
    people.privacy.restrict([(x, 9)])
    assert people.privacy.restricted() == sorted([(x, 7), (y, 8)])
    assert {row.id for row in people.privacy.restricted_persons()} == {"px", "py", "old"}
    [px, py] = people.persons.persons(["px", "py"])
    assert px and py
    assert people.persons.subgraph([], ["px"], events=False).restricted == {px.number, py.number}
    people.privacy.unrestrict([y])
    people.privacy.unrestrict([])
    assert {row.id for row in people.privacy.restricted_persons()} == {"px", "old"}
    people.privacy.erase(erasure(people, "px", ["x1", "x2"], ["email:x@x.org", "cookie:x"]))
    assert not people.privacy.restricted() and not people.privacy.restricted_persons()


def test_requests_are_kept(store: Store) -> None:
    one = ErasureRequest("r1", ErasureState.RESTRICTED, 5, "p1", token="t", hidden=(3,))
    two = ErasureRequest("r2", ErasureState.REFUSED, 6, code="PERSON_UNKNOWN", batch="b", line=2)
    three = ErasureRequest("r3", ErasureState.DELETED, 6, "p3", batch="b", line=1, document={"events": 3})
    store.erasures.keep([three, one, two])
    assert store.erasures.open() == [one, three] and store.erasures.requests(after="r1", limit=1) == [two]
    assert store.erasures.of_batch("b") == [three, two] and store.erasures.of_batch("b", after=1) == [two]
    assert store.erasures.of_batch("") == [] and store.erasures.find(["r3", "?", "r1"]) == [three, None, one]
    done = replace(one, state=ErasureState.SCRUBBED)
    store.erasures.keep([done])
    store.erasures.keep([])
    assert store.erasures.open() == [three] and store.erasures.find(["r1"]) == [done] and store.erasures.find([]) == []


def test_keyed_hashes_are_the_stores_own(store: Store) -> None:
    other = open_store("sqlite:///:memory:")
    assert store.privacy.keyed_hash("x") == store.privacy.keyed_hash("x") != store.privacy.keyed_hash("y")
    assert store.privacy.keyed_hash("x") != other.privacy.keyed_hash("x")
    assert len(store.privacy.keyed_hash("\ud800")) == 32
    other.close()


def test_records_in_quarantine_go_by_number_and_do_not_return(store: Store) -> None:
    refused = [Refused(Origin(n, n, b"x@x.org %d" % n), "NOT_JSON", "x@x.org") for n in range(3)]
    run = store.evidence.append(begin(store), batch([], refused=refused))
    first, _, third = (each.number for each in store.operations.quarantined())
    store.privacy.erase(Erasure([], [], [], [], [], quarantined=[first, third]))
    assert [each.record for each in store.operations.quarantined()] == [b"x@x.org 1"]
    run = store.evidence.append(run, batch([], refused=refused))
    assert (run.read, run.quarantined, run.suppressed) == (6, 4, 2)
    assert [each.record for each in store.operations.quarantined()] == [b"x@x.org 1"]


PEOPLE = ["ann", "bob", "eve"]
WORLDS = st.lists(
    st.tuples(st.sampled_from(PEOPLE), st.integers(0, 2), st.integers(-1, 1), st.booleans()), min_size=1, max_size=12
)


def said(place: int, person: str, cookie: int, shared: int, states: bool) -> Event:
    own = f"cookie:{person}-{cookie}"
    keys = [f"email:{person}@x.org", own, *([f"ip:{shared}"] if shared >= 0 else [])]
    pairs = [(keys[0], own)] if states else []
    return event(f"e{place}", *keys, source=person, traits={"n": place}, same_person=pairs)


@given(WORLDS, st.sampled_from(PEOPLE), st.booleans(), st.integers(0, 20))
@settings(deadline=None)
def test_the_rest_is_a_world_in_which_they_never_were(
    world: list[tuple[str, int, int, bool]], who: str, apart: bool, least: int
) -> None:
    events = [said(place, *each) for place, each in enumerate(world)]
    theirs = [each for each in events if each.source == who]
    others = [each for each in events if each.source != who]
    kept = {identifier for each in others for identifier in each.identifiers}
    own = {identifier.key for each in theirs for identifier in each.identifiers if identifier not in kept}
    before, layers.LEAST = layers.LEAST, least
    store, without = open_store("sqlite:///:memory:"), open_store("sqlite:///:memory:")
    try:
        for piece in [[each] for each in events] if apart else [events]:
            load(store, *piece)
        load(without, *others)
        store.privacy.erase(erasure(store, who, [each.id for each in theirs], sorted(own)))
        assert list(store.operations.canonical_lines()) == list(without.operations.canonical_lines())
        same = ("events", "identifiers", "observations")
        assert [store.operations.counts()[n] for n in same] == [without.operations.counts()[n] for n in same]
        table, _ = store.evidence.identifier_table()
        assert len(table) == len(kept)
        assert len(store.evidence.observation_table(array(table.number))) == store.operations.counts()["observations"]
        for identifier in kept:
            [number] = numbers(store, identifier.key)
            [rows] = store.evidence.events_of([number])
            assert {row.event.id for row in rows} == {each.id for each in others if identifier in each.identifiers}
        # And it stays so when everything is loaded again.
        run = load(store, *events)
        assert (run.duplicate, run.suppressed) == (len(others), len(theirs))
        assert list(store.operations.canonical_lines()) == list(without.operations.canonical_lines())
    finally:
        layers.LEAST = before
        store.close()
        without.close()


def test_a_reason_that_quotes_whole_keys_goes_too(people: Store) -> None:
    """That two are stated not to be one person keeps others apart as well."""
    shared, y = numbers(people, "ip:shared", "email:y@x.org")
    quotes = Reason("CANNOT_LINK", "x and y are kept apart", None, ("email:x@x.org", "email:y@x.org"))
    row = SuppressedRow(min(shared, y), max(shared, y), quotes)
    people.persons.publish(publication(suppressed=[row], scope=None))
    assert people.persons.suppressed([y]) == [[row]]
    people.privacy.erase(erasure(people, "px", ["x1", "x2"], ["email:x@x.org", "cookie:x"]))
    assert people.persons.suppressed([y]) == [[]]


def test_similar_links_of_the_erased_go_with_them(people: Store) -> None:
    x, y, shared = numbers(people, "email:x@x.org", "email:y@x.org", "ip:shared")
    ends = [(min(x, y), max(x, y)), (min(y, shared), max(y, shared))]
    people.persons.publish(publication(similar=sorted(SimilarRow(a, b, 0.5, NOW, (shared,)) for a, b in ends)))
    assert [len(rows) for rows in people.persons.similar([x, y, shared])] == [1, 2, 1]
    people.privacy.erase(erasure(people, "px", ["x1", "x2"], ["email:x@x.org", "cookie:x"]))
    assert [len(rows) for rows in people.persons.similar([y, shared])] == [1, 1]


def test_a_new_key_buries_and_the_old_ones_still_find(store: Store) -> None:
    first, second, third, nobody = (Identifier("email", f"{name}@x.org") for name in ("first", "second", "third", "no"))
    store.privacy.erase(Erasure([], [], ["one"], [], [first]))
    stays = store.privacy.keyed_hash("x")
    store.privacy.new_key()
    store.privacy.erase(Erasure([], [], ["two"], [], [second]))
    store.privacy.new_key()
    store.privacy.new_key()
    store.privacy.erase(Erasure([], [], ["three"], [], [third, first]))
    assert store.privacy.tombstoned([first, second, nobody, third]) == [True, True, False, True]
    assert store.privacy.keyed_hash("x") == stays
    hashes = store.transfer.tombstones(b"", 99)
    assert sorted(map(len, hashes)) == [32, 32, *[36] * 5], "the id of its key, unless it is the first"
    assert len({one[:4] for one in hashes if len(one) == 36}) == 2
    run = load(store, event("one", "cookie:1"), event("two", "cookie:2"), event("four", "email:second@x.org"))
    assert (run.accepted, run.suppressed) == (0, 3)
    assert store.privacy.release([second, first]) == [True, True]
    assert store.privacy.tombstoned([first, second, third]) == [False, False, True]


def test_keys_of_the_environment_are_exchanged_there(store_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The newest first. Without one that buried something nothing is looked up and nothing is buried."""
    old, new, gone = "0a" * 32, "0b" * 32, [Identifier("email", f"{name}@x.org") for name in "abc"]
    monkeypatch.setenv(VARIABLE, old)
    store, other = open_store(store_url), open_store(store_url)
    store.privacy.erase(Erasure([], [], [], [], gone[:1]))
    with pytest.raises(StoreError, match="cannot be changed from here"):
        store.privacy.new_key()
    if store_url.endswith(":memory:"):
        other.close()
        other = store
    assert other.privacy.tombstoned(gone) == [True, False, False]
    monkeypatch.setenv(VARIABLE, f"{new}, {old}")
    again = open_store(store_url) if other is not store else store
    again.privacy.erase(Erasure([], [], [], [], gone[1:2]))
    assert again.privacy.tombstoned(gone) == [True, True, False]
    assert other.privacy.tombstoned(gone) == [True, True, False], "whoever had it open hears of the new key"
    for text in (old, new, "0c" * 32):
        monkeypatch.setenv(VARIABLE, text)
        blind = open_store(store_url) if other is not store else store
        if blind is not store:
            with pytest.raises(StoreError) as caught:
                blind.privacy.tombstoned(gone)
            assert caught.value.code == "STORE_KEY"
            with pytest.raises(StoreError) as caught:
                load(blind, event("e", "email:a@x.org"))
            assert caught.value.code == "STORE_KEY"
            blind.close()
    for one in {id(one): one for one in (store, other, again)}.values():
        one.close()


def test_which_events_there_are_is_known_without_reading_them(people: Store, store_url: str) -> None:
    assert people.evidence.event_sum() == event_sum(["x1", "x2", "y1"])
    load(people, event("y1", "email:y@x.org", "ip:shared"), event("z", "email:z@x.org"), event("z", "email:z@x.org"))
    assert people.evidence.event_sum() == event_sum(["y1", "x2", "x1", "z"])
    with pytest.raises(ZeroDivisionError), people.transaction():
        people.privacy.erase(erasure(people, "px", ["x1"], []))
        raise ZeroDivisionError
    people.privacy.erase(erasure(people, "px", ["x1", "x2"], ["email:x@x.org", "cookie:x"]))
    assert people.evidence.event_sum() == event_sum(["y1", "z"])
    people.privacy.erase(erasure(people, "py", ["y1", "z"], []))
    assert people.evidence.event_sum() == event_sum(())


def test_which_events_there_are_is_read_where_it_was_not_kept(people: Store) -> None:
    if isinstance(people, Neo4jStore):
        with people.transaction():
            people.database.ledger.set("event_sum", None)
    else:
        people._database.write("DELETE FROM meta WHERE key = 'event_sum'")  # type: ignore[attr-defined]
    load(people, event("z", "email:z@x.org"))
    everything = event_sum(["x1", "x2", "y1", "z"])
    assert people.evidence.event_sum() == everything
    with people.transaction():
        assert people.evidence.event_sum() == everything
        people.privacy.erase(erasure(people, "px", ["x1", "x2"], []))
        assert people.evidence.event_sum() == event_sum(["y1", "z"])
