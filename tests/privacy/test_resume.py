"""An erasure that is killed, wherever, is finished by whoever comes next, and is never half done."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

from identity_graph import IdentityGraph
from identity_graph.erasing import ErasureRequest, ErasureState
from identity_graph.errors import InputError, StoreError
from identity_graph.model import Identifier, SharedRule
from identity_graph.policy import Policy
from identity_graph.signing import Signer, render, verify
from identity_graph.store import open_store
from tests.conftest import Clock
from tests.durability.recording import Cuts
from tests.durability.test_power_loss import recorded
from tests.story.worlds import event, key, numbered, person, shared_tablet, told, town

ZOE = "email:zoe@example.org"
EVENTS = [*town(), event("z1", 0, ZOE, "cookie:z-one"), event("z2", 1, "cookie:z-one", "user_id:zoe", "ip:203.0.113.7")]


class Killed(BaseException):
    """What no code handles."""


@pytest.mark.usefixtures("each_store")
@pytest.mark.parametrize("where", ["delete", "scrub"])
def test_what_was_killed_is_finished(where: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with told(EVENTS) as graph:
        id = person(graph, ZOE)
        preview = graph.forget.preview(id)
        assert preview

        def die(*_: object) -> None:
            raise Killed

        with monkeypatch.context() as patch:
            patch.setattr(graph.store.privacy, "erase" if where == "delete" else "scrub", die)
            with pytest.raises(Killed):
                graph.forget.erase(preview.token)
        assert graph.people.find([id]) == [None], "nobody sees the person, whatever became of the rest"
        (request,) = graph.store.erasures.open()
        assert (request.person_id, request.state) == (id, "RESTRICTED" if where == "delete" else "DELETED")
        assert bool(graph.forget.preview(id)) == (where == "delete")
        (done,) = graph.forget.resume()
        assert done.state is ErasureState.SCRUBBED and graph.store.erasures.open() == []
        assert graph.forget.preview(id) is None and graph.store.privacy.restricted() == []
        assert verify(render(done.document), graph.signer.public())["personId"] == id
        assert graph.forget.resume() == []
        assert graph.ingest.events(EVENTS).suppressed == 2


@pytest.mark.usefixtures("each_store")
def test_a_person_that_changed_meanwhile_stays_hidden_until_somebody_looks() -> None:
    with told(EVENTS) as graph:
        id = person(graph, ZOE)
        preview = graph.forget.preview(id)
        assert preview
        graph.forget._request(preview.token)  # and then it was killed
        graph.ingest.events([event("z3", 2, ZOE, "cookie:z-two")])
        (found,) = graph.forget.resume()
        assert (found.state, found.code) == (ErasureState.RESTRICTED, "TOKEN_INVALID")
        assert graph.people.find([id]) == [None] and [one.person_id for one in graph.restrictions.all()] == [id]
        again = graph.forget.preview(id)
        assert again and again.events == 3
        graph.forget.erase(again.token)
        assert graph.store.erasures.open() == []
        states = [one.state for one in graph.store.erasures.requests()]
        assert sorted(states) == [ErasureState.REFUSED, ErasureState.SCRUBBED]


@pytest.mark.usefixtures("each_store")
def test_what_was_asked_by_the_rule_to_refuse_is_refused_by_who_resumes_too() -> None:
    with told(shared_tablet()) as graph:
        id = person(graph, "user_id:bob")
        preview = graph.forget.preview(id)
        assert preview and [one.key for one in preview.contested] == ["device_id:tablet"]
        graph.forget._request(preview.token, SharedRule.REFUSE)  # and then it was killed
        (found,) = graph.forget.resume()
        assert (found.state, found.code) == (ErasureState.REFUSED, "IDENTIFIERS_SHARED")
        assert graph.people.find([id]) != [None] and graph.restrictions.all() == []
        assert graph.store.erasures.open() == []
        graph.forget.erase(preview.token, SharedRule.DETACH)
        assert graph.people.find_by_identifier([key("device_id:tablet")]) != [None]


@pytest.mark.usefixtures("each_store")
@pytest.mark.parametrize("killed", [True, False])
@pytest.mark.parametrize("change", ["merges", "splits"])
def test_a_person_that_merges_or_splits_meanwhile_is_erased_by_nobody_who_did_not_see_it(
    change: str, killed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the request and the deletion; and what is then erased is what was then shown."""
    bob, user = "email:bob@example.org", "user_id:zoe"
    with told([*EVENTS, event("b1", 3, bob, "cookie:bobs")]) as graph:
        id = person(graph, ZOE)
        preview = graph.forget.preview(id)
        assert preview and set(map(str, (one.key for one in preview.exclusive))) >= {ZOE, user}
        note = graph.forget._request

        def changed(*asked: Any) -> ErasureRequest:
            request = note(*asked)
            state = graph.stating.link if change == "merges" else graph.stating.unlink
            state(Identifier.parse(ZOE), Identifier.parse(bob if change == "merges" else user), "meanwhile")
            return request

        monkeypatch.setattr(graph.forget, "_request", changed)
        events = graph.store.operations.counts()["events"]
        if killed:
            changed(preview.token)
            (request,) = graph.forget.resume()
            assert (request.state, request.code) == (ErasureState.RESTRICTED, "TOKEN_INVALID")
            hidden = graph.people.find_by_identifier(list(map(Identifier.parse, (ZOE, user))))
            assert hidden == [None, None]
        else:
            with pytest.raises(InputError, match="changed since"):
                graph.forget.erase(preview.token)
            assert graph.restrictions.all() == [] and graph.store.erasures.open() == []
        monkeypatch.undo()
        assert graph.store.operations.counts()["events"] == events + 1  # the statement; nothing went
        # The statement belongs to who has the user id, and so holds the other one's address, which stays.
        asked, others = map(Identifier.parse, (ZOE, bob) if change == "merges" else (user, ZOE))
        found = graph.restrictions.find(asked)
        assert found
        again = graph.forget.preview(found.id, asked)
        assert again and asked in again.exclusive and (others in again.exclusive) == (change == "merges")
        graph.forget.erase(again.token)
        assert graph.store.privacy.tombstoned([asked, others]) == [True, change == "merges"]
        left = graph.store.evidence.identifiers([asked, others, Identifier.parse(bob)])
        assert [one is not None for one in left] == [False, change == "splits", change == "splits"]


@pytest.mark.usefixtures("each_store")
def test_who_is_unrestricted_is_not_erased_later() -> None:
    with told(EVENTS) as graph:
        id = person(graph, ZOE)
        preview = graph.forget.preview(id)
        assert preview
        graph.forget._request(preview.token)  # and then it was killed
        assert graph.restrictions.unrestrict(id) and graph.forget.resume() == []
        assert person(graph, ZOE) == id


@pytest.mark.usefixtures("each_store")
def test_whoever_comes_second_is_told_that_the_person_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both have noted what they ask for; one of them erases."""
    with told(EVENTS) as graph:
        preview = graph.forget.preview(person(graph, ZOE))
        assert preview
        note = graph.forget._request

        def overtaken(*asked: Any) -> ErasureRequest:
            request = note(*asked)
            monkeypatch.setattr(graph.forget, "_request", note)
            graph.forget.erase(asked[0])
            return request

        monkeypatch.setattr(graph.forget, "_request", overtaken)
        with pytest.raises(InputError, match="gone or changed"):
            graph.forget.erase(preview.token)
        states = [one.state for one in graph.store.erasures.requests()]
        assert sorted(states) == [ErasureState.REFUSED, ErasureState.SCRUBBED]
        assert graph.store.privacy.restricted() == []


@pytest.mark.usefixtures("each_store")
def test_a_request_that_is_refused_leaves_nothing_behind() -> None:
    with told(EVENTS) as graph:
        id = person(graph, ZOE)
        preview = graph.forget.preview(id)
        assert preview
        graph.ingest.events([event("z3", 2, ZOE, "cookie:z-two")])
        before = graph.store.persons.changes_of([id])
        with pytest.raises(InputError, match="changed since"):
            graph.forget.erase(preview.token)
        assert graph.people.find([id])[0] and graph.restrictions.all() == [] and graph.forget.resume() == []
        assert graph.store.persons.changes_of([id]) == before
        (request,) = graph.store.erasures.requests()
        assert (request.state, request.code) == (ErasureState.REFUSED, "TOKEN_INVALID")
        assert ZOE.partition(":")[2] not in request.pack()


@pytest.mark.usefixtures("each_store")
def test_who_is_not_erased_is_in_its_segments_again() -> None:
    with told(EVENTS) as graph:
        id = person(graph, ZOE)
        graph.segments.save("reachable", "", {"identifier": {"namespace": "email"}})
        before = graph.segments.members("reachable")
        preview = graph.forget.preview(id)
        assert preview and id in before
        request = graph.forget._request(preview.token)
        graph.ingest.events([event("z3", 2, ZOE, "cookie:z-two")])
        graph.resolver.resolve()
        assert id not in graph.segments.members("reachable")
        graph.forget._refuse(request, "TOKEN_INVALID")
        assert graph.segments.members("reachable") == before


def test_a_full_disk_in_the_middle_is_finished_later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with IdentityGraph.open(f"sqlite:///{tmp_path / 'p.db'}", clock=Clock(), new_id=numbered()) as graph:
        graph.ingest.events(EVENTS)
        graph.resolver.resolve()
        preview = graph.forget.preview(person(graph, ZOE))
        assert preview

        def full(*_: object) -> None:
            raise StoreError("STORE_FULL", "the disk is full")

        with monkeypatch.context() as patch:
            patch.setattr(graph.store.privacy, "erase", full)
            with pytest.raises(StoreError, match="full"):
                graph.forget.erase(preview.token)
        assert [one.state for one in graph.forget.resume()] == [ErasureState.SCRUBBED]


def test_the_power_is_cut_at_every_moment_of_an_erasure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the disk then has: the person is whole, or hidden and then gone; and the others are as they were."""
    clock, key = Clock(), Signer(tmp_path / "signing.pem")
    monkeypatch.setenv("IDENTITY_GRAPH_TOMBSTONE_KEY", "ab" * 32)
    with told([one for one in EVENTS if not one.id.startswith("z")]) as without:
        others = without.digest()
    (tmp_path / "made").mkdir()
    with recorded("full") as recording:
        store = open_store(f"sqlite:///{tmp_path / 'made' / 'people.db'}")
        graph = IdentityGraph(store, Policy.default(), clock=clock, new_id=numbered(), signing_key=key.place)
        graph.ingest.events(EVENTS)
        graph.resolver.resolve()
        whole, id = graph.digest(), person(graph, ZOE)
        preview = graph.forget.preview(id)
        assert preview
        begun = len(recording.calls)
        recording.say("asked")
        graph.forget.erase(preview.token)
        recording.say("erased")
        store.close()
    syncs = [at for at, call in enumerate(recording.calls, 1) if at > begun and call.kind == "sync"]
    assert len(syncs) >= 4
    dice, cuts, seen = random.Random(7), Cuts(recording.calls), set()
    for at in sorted({*syncs, *(at - 1 for at in syncs), *(at + 1 for at in syncs), len(recording.calls)}):
        for path in (folder := tmp_path / f"cut{at}").parent.glob(f"{folder.name}/*"):
            path.unlink()
        folder.mkdir(exist_ok=True)
        disk = cuts.after(min(at, len(recording.calls)), dice)
        disk.write(folder)
        url = f"sqlite:///{folder / 'people.db'}"
        with IdentityGraph.open(url, clock=clock, new_id=numbered("q"), signing_key=key.place) as graph:
            before = graph.digest()
            assert before in (whole, others), "never half"
            asked = bool(graph.store.erasures.requests())
            hidden = graph.people.find_by_identifier([Identifier.parse(ZOE)]) == [None]
            assert hidden == asked
            assert asked or "erased" not in disk.promises
            graph.forget.resume()
            assert graph.digest() == (others if asked else whole) and graph.store.erasures.open() == []
            seen.add((asked, before == others))
    assert seen == {(False, False), (True, False), (True, True)}, "each stage was cut"
