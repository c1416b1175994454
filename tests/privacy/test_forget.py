"""Erasure: what is left is the world in which the person's events never were."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from identity_graph import IdentityGraph
from identity_graph.errors import InputError, PolicyError
from identity_graph.events_digest import counted_anew, events_digest
from identity_graph.loaders import read_loader
from identity_graph.model import ChangeKind, ErasurePreview, Event, Identifier, Receipt, Scope, SharedRule
from identity_graph.policy import Policy
from identity_graph.store.keyring import VARIABLE
from tests.conftest import Clock, law
from tests.story.picture import picture
from tests.story.worlds import (
    event,
    fading,
    household,
    key,
    kiosk,
    new_graph,
    person,
    policies,
    save_segments,
    shared_tablet,
    spied,
    tell,
    told,
    town,
    two_cards,
    worlds,
)

pytestmark = pytest.mark.usefixtures("each_store")
KIM = "email:kim@example.org"


@pytest.fixture(autouse=True, scope="module")
def one_key() -> Iterator[None]:
    """By which a store in which somebody was erased tells the others as one does in which nobody was."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(VARIABLE, "ab" * 32)
        yield


def look(graph: IdentityGraph, id: str) -> ErasurePreview:
    preview = graph.forget.preview(id)
    assert preview
    return preview


def forget(graph: IdentityGraph, text: str) -> Receipt:
    return graph.forget.erase(look(graph, person(graph, text)).token)


# ---- the law


@law(20)
@given(worlds(), policies | st.builds(fading), st.sampled_from(Scope), st.randoms(use_true_random=False))
def test_as_if_the_events_had_never_been(events, policy, scope, random):  # type: ignore[no-untyped-def]
    keys = {one for event in events for one in event.identifiers}
    arrivals = random.sample(events, len(events))
    with new_graph(policy) as graph:
        save_segments(graph)
        for start in range(0, len(arrivals), 6):
            graph.ingest.events(arrivals[start : start + 6])
            if random.random() < 0.5:
                graph.resolver.resolve()
        graph.resolver.resolve()
        kept, seen = list(events), []
        for _ in range(2):
            everybody = graph.people.page()
            if not everybody:
                break
            victim = random.choice(everybody).id
            asked = random.choice(graph.people.members([victim])[0]).identifier
            told_of = [one.event for one in graph.people.journeys([victim])[0]]
            mine = {one.id for one in told_of if scope is Scope.CONNECTED or asked in one.identifiers}
            preview = graph.forget.preview(victim, asked, scope)
            assert preview
            whole = {one.id for one in told_of}
            assert_right(preview, graph, victim, asked, kept, mine, whole)
            if preview.contested:
                assert_refused(preview, graph)
            rule = SharedRule.DETACH if preview.contested else SharedRule.REFUSE
            receipt = graph.forget.erase(preview.token, rule)
            kept = [one for one in kept if one.id not in mine]
            assert receipt.document["events"] == len(mine) and receipt.document["verified"]
            assert receipt.document["scope"] == scope
            assert_gone(graph, victim, preview)
            others = receipt.document["othersBefore"], receipt.document["othersAfter"]
            seen.append((kept, picture(graph, keys), others))
        again = graph.ingest.events(arrivals)
        assert (again.read, again.duplicate, again.suppressed) == (len(events), len(kept), len(events) - len(kept))
        digest = graph.digest()
        graph.resolver.resolve(full=True)
        assert graph.digest() == digest
    for kept, found, others in seen:
        with new_graph(policy) as without:
            save_segments(without)
            tell(without, kept)
            assert picture(without, keys) == found
            assert others == (events_digest(without.store, counted_anew(without.store)),) * 2


def assert_right(
    preview: ErasurePreview,
    graph: IdentityGraph,
    victim: str,
    asked: Identifier,
    kept: list[Event],
    mine: set[str],
    whole: set[str],
) -> None:
    """Exclusive is what no event holds that stays; shared is what such an event holds of what goes otherwise, and
    contested what of that one of another journey than the `whole` of this one holds, if it joins anybody."""
    held = {one for event in kept if event.id not in mine for one in event.identifiers}
    own = {one.identifier for one in graph.people.members([victim])[0]}
    wanted = own if preview.scope is Scope.CONNECTED else {asked}
    named = wanted | {one for event in kept if event.id in mine for one in event.identifiers}
    assert set(preview.exclusive) == wanted - held
    assert set(preview.shared) == named & held
    assert set(preview.beside) == named - wanted - held
    elsewhere = {one for event in kept if event.id not in whole for one in event.identifiers}
    rows = graph.store.evidence.identifiers(sorted(preview.shared))
    joining = {row.identifier for row in rows if row and not row.pruned}
    assert set(preview.contested) == set(preview.shared) & elsewhere & joining
    assert preview.kept == (asked if asked in held else None)
    ends = preview.scope is Scope.CONNECTED or own <= named - held
    assert preview.segments == (graph.people.segments([victim])[0] if ends else ())


def assert_refused(preview: ErasurePreview, graph: IdentityGraph) -> None:
    """By the rule REFUSE, and nothing is other than before."""
    before = graph.digest()
    with pytest.raises(InputError) as refused:
        graph.forget.erase(preview.token, SharedRule.REFUSE)
    assert refused.value.code == "IDENTIFIERS_SHARED"
    assert (graph.digest(), graph.store.privacy.restricted(), graph.store.erasures.open()) == (before, [], [])
    assert graph.people.find([preview.person_id]) != [None]


def assert_gone(graph: IdentityGraph, victim: str, preview: ErasurePreview) -> None:
    if preview.scope is Scope.EXACT and graph.people.find([victim]) != [None]:
        assert {one.identifier for one in graph.people.members([victim])[0]}.isdisjoint(preview.exclusive)
        assert not any(graph.people.identifiers([*preview.exclusive, *preview.beside]))
        return
    assert graph.people.find([victim]) == [None]
    assert graph.forget.preview(victim) is None
    assert not any(graph.people.find_by_identifier(preview.exclusive))
    assert not any(graph.people.identifiers(preview.exclusive))
    last = graph.store.persons.changes_of([victim])[0][-1]
    assert (last.kind, last.from_ids, last.to_ids) == (ChangeKind.ERASED, (), ())
    with pytest.raises(InputError, match="the person is gone or changed since"):
        graph.forget.erase(preview.token)
    new = event("new of the same", 7, preview.exclusive[0].key, "cookie:never-seen") if preview.exclusive else None
    if new:
        run = graph.ingest.events([new])
        assert (run.read, run.suppressed) == (1, 1)


# ---- one person's way out


def test_one_identifier_goes_and_the_person_stays() -> None:
    """The address was seen with the cookie once; what the cookie did alone is not about it."""
    events = [event("both", 0, KIM, "cookie:one", name="Signed Up"), event("alone", 1, "cookie:one", "user_id:kim")]
    with told(events) as graph:
        id, address = person(graph, KIM), Identifier.parse(KIM)
        with pytest.raises(InputError, match="EXACT"):
            graph.forget.preview(id, None, Scope.EXACT)
        preview = graph.forget.preview(id, address, Scope.EXACT)
        assert preview and (preview.events, preview.exclusive, preview.segments) == (1, (address,), ())
        assert [one.key for one in preview.shared] == ["cookie:one"]
        assert preview.token != look(graph, id).token
        wrong = preview.token.replace(id + ".", id + ".9")
        with pytest.raises(InputError, match="the person is gone or changed since"):
            graph.forget.erase(wrong)
        graph.forget.erase(preview.token)
        assert person(graph, "cookie:one") == id and graph.people.find_by_identifier([address]) == [None]
        assert [one.event.id for one in graph.people.journeys([id])[0]] == ["alone"]
        assert ChangeKind.ERASED not in {one.kind for one in graph.store.persons.changes_of([id])[0]}
        assert graph.ingest.events(events).suppressed == 1


def test_a_person_of_one_identifier_goes_with_it() -> None:
    with told([event("only", 0, KIM)]) as graph:
        id = person(graph, KIM)
        preview = graph.forget.preview(id, Identifier.parse(KIM), Scope.EXACT)
        assert preview
        graph.forget.erase(preview.token)
        assert graph.people.count() == 0 and graph.people.find([id]) == [None]
        assert graph.store.persons.changes_of([id])[0][-1].kind == ChangeKind.ERASED


def test_ids_that_were_merged_into_the_person_go_with_it() -> None:
    with told(two_cards()) as graph:
        tell(graph, [event("a", 0, "cookie:one"), event("b", 1, "cookie:two", "cookie:three", "cookie:four")])
        retired = person(graph, "cookie:one")
        tell(graph, [event("join", 2, "cookie:one", KIM)])
        kim = person(graph, KIM)
        assert look(graph, retired).person_id == kim != retired
        graph.forget.erase(look(graph, retired).token)
        assert graph.people.find([kim, retired]) == [None, None]
        assert graph.forget.preview(retired) is None and graph.people.journeys([retired]) == [()]


def test_a_person_of_whom_only_the_erased_ones_events_spoke_goes_too() -> None:
    """Bob's address was only ever seen beside Ann's user id, which has five addresses already."""
    events = [event(f"a{n}", n, "user_id:ann", f"email:ann{n}@example.org") for n in range(5)]
    events += [event("more", 9, "user_id:ann", "email:ann0@example.org")]
    events += [event("six", -20, "user_id:ann", "email:bob@example.org", source="form")]
    with told(events) as graph:
        save_segments(graph)
        bob = person(graph, "email:bob@example.org")
        assert bob != person(graph, "user_id:ann")
        forget(graph, "user_id:ann")
        assert graph.people.count() == 0 and graph.people.find([bob]) == [None]
        assert {one.size for one in graph.segments.all()} == {0}
        assert graph.store.persons.changes_of([bob])[0][-1].kind == ChangeKind.ERASED


def test_a_shared_tablet_stays_with_the_others_evidence() -> None:
    with told(shared_tablet()) as graph:
        preview = look(graph, person(graph, "user_id:ann"))
        assert [one.key for one in preview.exclusive] == ["user_id:ann"]
        assert [one.key for one in preview.shared] == ["device_id:tablet"]
        assert (preview.events, preview.segments) == (3, ())
        graph.forget.erase(preview.token)
        bob = person(graph, "user_id:bob")
        assert person(graph, "device_id:tablet") == bob
        (journey,) = graph.people.journeys([bob])
        assert [one.event.id for one in journey] == ["t3"]
        run = graph.ingest.events(shared_tablet())  # t4 names the tablet alone, and was Ann's
        assert (run.duplicate, run.suppressed) == (1, 3)


def test_what_was_asked_for_and_stays_is_said_before_and_after() -> None:
    with told(shared_tablet()) as graph:
        ann, tablet = person(graph, "user_id:ann"), key("device_id:tablet")
        assert person(graph, tablet.key) == ann
        for asked, kept in ((None, None), (key("user_id:ann"), None), (key("cookie:other"), None), (tablet, tablet)):
            preview = graph.forget.preview(ann, asked)
            assert preview and preview.kept == kept
        assert preview
        document = graph.forget.erase(preview.token).document
        assert document["requestedIdentifierKept"] is True
        assert person(graph, tablet.key) == person(graph, "user_id:bob")
        assert forget(graph, "user_id:bob").document["requestedIdentifierKept"] is False


def test_the_token_is_of_the_person_as_it_was_seen() -> None:
    with told(town()) as graph:
        token = look(graph, person(graph, KIM)).token
        graph.ingest.events([event("late", 500, KIM)])
        with pytest.raises(InputError) as refused:
            graph.forget.erase(token)
        assert refused.value.code == "TOKEN_INVALID"
        assert person(graph, KIM) and graph.forget.preview("nobody") is None
        for wrong in ("", "x", f"{person(graph, KIM)}.0", token[:-1]):
            with pytest.raises(InputError):
                graph.forget.erase(wrong)
        graph.forget.erase(look(graph, person(graph, KIM)).token)
        assert graph.people.find_by_identifier([key(KIM)]) == [None]


def test_the_receipt_proves_and_tells_nothing() -> None:
    clock = Clock()
    with told(town(), clock=clock) as graph:
        save_segments(graph)
        preview = look(graph, person(graph, KIM))
        receipt = graph.forget.erase(preview.token)
        text = json.dumps(receipt.document)
        assert not any(one.value in text for one in (*preview.exclusive, *preview.shared))
        assert not any(one.id in text.split('"') for one in two_cards())
        document = receipt.document
        assert (document["events"], document["identifiersErased"], document["identifiersKept"]) == (4, 3, 0)
        assert (document["tombstones"], document["quarantinedRecords"], document["verified"]) == (7, 0, True)
        assert document["requestedAt"] == document["completedAt"] == "2026-01-01T00:00:00Z"
        assert document["policy"] == graph.policy.digest and document["receipt"] == receipt.id


def test_nobody_is_published_under_other_rules_than_those_in_force(shared_url: str) -> None:
    """A look is no resolution: it must not be the one that changes everybody."""
    with told(town(), url=shared_url) as graph:
        token = look(graph, kim := person(graph, KIM)).token
        before = graph.digest(), graph.store.persons.changes(), graph.store.persons.resolved()
        with IdentityGraph.open(shared_url, Policy.parse("min_weight = 1.0")) as other:
            for act in (lambda: other.forget.preview(kim), lambda: other.forget.erase(token)):
                with pytest.raises(PolicyError) as refused:
                    act()
                assert refused.value.code == "POLICY_DIFFERS"
                assert graph.policy.digest[:12] in refused.value.message
                assert (graph.digest(), graph.store.persons.changes(), graph.store.persons.resolved()) == before
            other.resolver.resolve()
            events = look(other, person(other, KIM)).events
            graph.ingest.events([event("late", 500, KIM)])
            assert look(other, person(other, KIM)).events == events + 1
        with pytest.raises(PolicyError):
            graph.forget.preview(kim)


def test_a_look_at_a_store_that_was_never_resolved_publishes_nobody() -> None:
    with new_graph() as graph:
        graph.ingest.events(town())
        assert graph.forget.preview("anybody") is None
        assert graph.store.persons.resolved() == (0, None)


def test_an_erasure_does_not_bring_the_history_of_shared_addresses() -> None:
    crowd = [event(f"i{n}", n, f"cookie:i{n}", "ip:203.0.113.7", "user_id:null") for n in range(300)]
    with told([*crowd, *household(), event("kim", 0, KIM, "ip:203.0.113.7", "user_id:null")]) as graph:
        reads = spied(graph.store)
        forget(graph, KIM)
        assert sum(reads) <= 10


def test_an_erasure_does_not_bring_the_history_of_all_who_used_a_kiosk() -> None:
    customers = [f"user_id:q{n:02d}" for n in range(60)]
    private = [event(f"p{n}", n, customers[n % 60], f"cookie:p{n}") for n in range(600)]
    with told([*kiosk(60), *private]) as graph:
        reads = spied(graph.store)
        forget(graph, customers[7])
        assert sum(reads) <= 200
        assert graph.people.count() == 59


# ---- files


def test_the_same_file_does_not_bring_the_person_back(tmp_path: Path) -> None:
    def line(id: str, **identifiers: object) -> str:
        return json.dumps({"messageId": id, "type": "track", "event": "Seen", "timestamp": "2025-11-02", **identifiers})

    broken = [
        '{"userId": "kim-77", "traits": {"email": "Kim.Lee@Example.org"',
        '{"userId": "other", "note": "kim.lee\\u0040example.org", broken',
        '{"phone": "+1 (555) 010-0277", broken',
        '{"phone": "555.010.0277", broken',
        '{"card": "lc-0123 4567", broken',
        '{"userId": "KIM-77x", "traits": {"email": "kim.lee@example.org.uk", "phone": "+15550100278"',
    ]
    good = [
        line("k1", userId="kim-77", properties={"email": "kim.lee@example.org", "phone": "+15550100277"}),
        line("k2", userId="kim-77", context={"externalIds": [{"type": "loyalty_id", "id": "LC01234567"}]}),
        line("o1", userId="other", anonymousId="other-cookie"),
    ]
    path = tmp_path / "events.jsonl"
    path.write_text("\n".join([good[0], *broken, *good[1:], good[0].replace("Seen", "Changed")]) + "\n")
    loader = read_loader("segment")
    with new_graph() as graph:
        first = graph.ingest.load(loader, path)
        assert (first.read, first.accepted, first.quarantined) == (10, 3, 7)
        graph.resolver.resolve()
        receipt = forget(graph, "email:kim.lee@example.org")
        left = graph.store.operations.quarantined()
        assert [one.record.decode() for one in left] == [broken[-1]]
        assert receipt.document["quarantinedRecords"] == 6
        digest = graph.digest()
        again = graph.ingest.load(loader, path)
        assert (again.read, again.duplicate, again.quarantined, again.suppressed) == (10, 1, 1, 8)
        graph.resolver.resolve()
        assert graph.digest() == digest
        assert not any(graph.people.find_by_identifier([key("user_id:kim-77"), key("loyalty_id:LC01234567")]))
