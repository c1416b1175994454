"""What becomes of requests, step by step, on each store: by a clock that only the test moves."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from identity_graph import IdentityGraph
from identity_graph.errors import IdentityGraphError, StoreError
from identity_graph.model import SharedRule
from identity_graph.opendsr import Agreement, Desk
from identity_graph.opendsr.asked import read
from identity_graph.signing import render, verify
from identity_graph.subject_request import RequestStatus, SubjectRequest
from tests.conftest import Clock
from tests.opendsr.conftest import EMAIL, agreed, zoe
from tests.story.worlds import event, household, key, person, tell, told

pytestmark = pytest.mark.usefixtures("each_store")
HOUR = 3_600.0


class Killed(BaseException):
    """What no code handles."""


@dataclass
class Office:
    graph: IdentityGraph
    desk: Desk
    clock: Clock

    def receive(self, kind: str = "erasure", *identities: tuple[str, str, str], **more: Any) -> SubjectRequest:
        sent = {
            "regulation": "gdpr",
            "subject_request_id": str(uuid.uuid4()),
            "subject_request_type": kind,
            "submitted_time": "2026-10-02T15:00:00+02:00",
            "subject_identities": [
                {"identity_type": type_, "identity_value": value, "identity_format": form}
                for type_, value, form in identities or [("email", EMAIL.upper(), "raw")]
            ],
        } | more
        return self.desk.receive(read(sent, self.desk.agreement), json.dumps(sent).encode(), "key abc")

    def later(self, request: SubjectRequest, seconds: float = HOUR) -> SubjectRequest:
        self.clock.tick(seconds)
        assert self.desk.round() == ""
        return self.desk.find(request.id)

    def sees(self, text: str) -> bool:
        return self.graph.people.find_by_identifier([key(text)]) != [None]


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    clock = Clock()
    with told([*zoe(), *household()], clock=clock) as graph:
        graph.register.place = tmp_path / "people.erased"
        yield Office(graph, desk_of(graph, tmp_path), clock)


def desk_of(graph: IdentityGraph, folder: Path) -> Desk:
    return graph.desk(Agreement.read(agreed(folder)))


def test_an_erasure_hides_at_once_and_erases_when_its_time_has_come(office: Office) -> None:
    request = office.receive()
    assert request.status is RequestStatus.PENDING and not office.sees(f"email:{EMAIL}")
    assert office.later(request, HOUR - 1).status is RequestStatus.PENDING
    assert office.graph.restrictions.all()
    done = office.later(request, 1)
    assert (done.status, done.results, done.due) == (RequestStatus.COMPLETED, 4, None)
    assert done.identities == () and done.hidden == () and office.graph.store.privacy.restricted() == []
    assert office.graph.restrictions.find(key(f"email:{EMAIL}")) is None
    assert office.graph.ingest.events(zoe()).suppressed == 4
    (receipt,) = office.desk.results(request.id)
    assert verify(render(receipt), office.graph.signer.public())["events"] == 4
    assert EMAIL not in done.pack() and "zoe" not in done.pack()


def test_what_is_cancelled_is_as_if_it_had_never_been_asked(office: Office) -> None:
    office.graph.segments.save("crm", "", {"identifier": {"namespace": "phone"}})
    before = office.graph.segments.members("crm")
    id = person(office.graph, f"email:{EMAIL}")
    assert id in before
    request = office.receive()
    assert id not in office.graph.segments.members("crm")
    cancelled = office.desk.cancel(request.id)
    assert office.sees(f"email:{EMAIL}") and office.graph.segments.members("crm") == before
    assert (cancelled.status, cancelled.identities) == (RequestStatus.CANCELLED, ())
    assert office.desk.cancel(request.id) == cancelled
    done = office.later(request, 2 * HOUR)
    assert (done.status, done.due) == (RequestStatus.CANCELLED, None) and office.sees(f"email:{EMAIL}")


def test_who_was_restricted_before_stays_so_when_it_is_cancelled(office: Office) -> None:
    id = person(office.graph, f"email:{EMAIL}")
    office.graph.restrictions.restrict(id)
    office.desk.cancel(office.receive().id)
    assert [one.person_id for one in office.graph.restrictions.all()] == [id]


@pytest.mark.parametrize("form", ["raw", "sha256"])
def test_of_two_requests_one_may_be_cancelled(office: Office, form: str) -> None:
    zoe = "zoe" if form == "raw" else hashlib.new(form, b"zoe").hexdigest()
    first, second = office.receive(), office.receive("erasure", ("controller_customer_id", zoe, form))
    office.desk.cancel(first.id)
    assert not office.sees(f"email:{EMAIL}") and office.graph.register.restricted() != set()
    office.desk.cancel(second.id)
    assert office.sees(f"email:{EMAIL}") and office.graph.register.restricted() == set()


def test_an_identifier_that_others_hold_erases_nobody_of_them(office: Office) -> None:
    """A phone of three: each identifier is looked up before anybody is erased, and leads to one person then."""
    named = [("email", "ned@example.org", "raw")]
    phone = {"localhost": {"identities": [{"identity_type": "phone", "identity_value": "+1 555 010 0300"}]}}
    owner = office.graph.restrictions.find(key("phone:+15550100300"))
    ned = person(office.graph, "email:ned@example.org")
    request = office.receive("erasure", *named, extensions=phone)
    done = office.later(request)
    gone = {ned, *([owner.id] if owner else [])}
    assert len(done.erasures) == len(gone)
    left = {f"email:{name}@example.org" for name in ("ned", "oli", "pat") if office.sees(f"email:{name}@example.org")}
    assert len(left) == 3 - len(gone) and "email:ned@example.org" not in left


@pytest.mark.parametrize("kind", ["access", "portability"])
def test_a_disclosure_is_of_everything(office: Office, kind: str) -> None:
    request = office.receive(kind)
    assert office.sees(f"email:{EMAIL}")
    with pytest.raises(IdentityGraphError, match="no results"):
        office.desk.results(request.id)
    done = office.later(request)
    assert (done.status, done.results, done.identities) == (RequestStatus.COMPLETED, 4, ())
    (found,) = office.desk.results(request.id)
    assert {f"{one['namespace']}:{one['value']}" for one in found["identifiers"]} >= {f"email:{EMAIL}", "user_id:zoe"}
    office.clock.tick(31 * 24 * HOUR)
    with pytest.raises(IdentityGraphError, match="none any more"):
        office.desk.results(request.id)


def test_who_was_erased_since_is_disclosed_no_more(office: Office) -> None:
    access = office.later(office.receive("access"))
    office.later(office.receive())
    assert office.desk.results(access.id) == []


@pytest.fixture
def strict(office: Office, tmp_path: Path) -> Office:
    """Who shares identifiers waits, as the three behind one landline."""
    agreement = Agreement.read(agreed(tmp_path)).model_copy(update={"shared": "refuse"})
    return replace(office, desk=office.graph.desk(agreement))


NED = ("email", "ned@example.org", "raw")


def test_who_shares_an_identifier_waits_for_a_decision(strict: Office) -> None:
    before = strict.graph.digest()
    request, other = strict.receive("erasure", NED), strict.receive()
    strict.clock.tick(HOUR)
    heard: list[tuple[str, str]] = []
    for _ in range(10):
        assert strict.desk.round(lambda one: heard.append((one.id, one.trouble))) == "", "nothing is wrong"
        strict.clock.tick(60)
    assert strict.desk.find(other.id).status is RequestStatus.COMPLETED, "she shares nothing"
    waiting = strict.desk.find(request.id)
    assert (waiting.status, waiting.trouble) == (RequestStatus.IN_PROGRESS, "IDENTIFIERS_SHARED")
    assert [trouble for id, trouble in heard if id == request.id] == ["", "IDENTIFIERS_SHARED"]
    assert not strict.sees("email:ned@example.org") and strict.graph.restrictions.find(key("email:ned@example.org"))
    assert strict.graph.store.erasures.open() == []
    (preview,) = strict.desk.previews(request.id)
    assert [one.key for one in preview.contested] == ["phone:+15550100300"]
    assert strict.desk.decide(request.id, SharedRule.DETACH).trouble == ""
    done = strict.later(request, 0)
    assert (done.status, done.results) == (RequestStatus.COMPLETED, 1)
    assert strict.graph.restrictions.find(key("email:ned@example.org")) is None
    assert strict.sees("phone:+15550100300") and strict.graph.digest() != before
    for undue in (request, other):
        with pytest.raises(IdentityGraphError) as caught:
            strict.desk.decide(undue.id, SharedRule.REFUSE)
        assert caught.value.code == "DECISION_UNDUE"


def test_what_is_decided_against_is_as_if_it_had_never_been_asked(strict: Office) -> None:
    before = strict.graph.digest()
    digest = hashlib.sha256(b"ned@example.org").hexdigest()
    asked = [strict.receive("erasure", one) for one in (NED, ("email", digest, "sha256"))]
    strict.clock.tick(HOUR)
    assert strict.desk.round() == ""
    called_off = strict.desk.decide(asked[0].id, SharedRule.REFUSE)
    assert (called_off.status, called_off.trouble) == (RequestStatus.CANCELLED, "")
    assert not strict.sees("email:ned@example.org"), "the other request still holds him"
    strict.desk.decide(asked[1].id, SharedRule.REFUSE)
    assert strict.later(asked[0], 2 * HOUR).due is None and strict.sees("email:ned@example.org")
    assert strict.graph.digest() == before and strict.graph.register.restricted() == set()


def test_who_is_decided_about_while_a_round_fails_waits_no_more(strict: Office) -> None:
    request = strict.receive("erasure", NED)
    strict.clock.tick(HOUR)
    stale = strict.desk.find(request.id)
    assert strict.desk.round() == ""
    strict.desk.decide(request.id, SharedRule.REFUSE)
    assert strict.desk._postpone(stale, "IDENTIFIERS_SHARED").trouble == ""  # of a server that was slow
    with pytest.raises(IdentityGraphError, match="waits for no decision"):
        strict.desk.decide(request.id, SharedRule.REFUSE)


def test_a_household_that_goes_together_asks_nobody(strict: Office) -> None:
    names = ("ned", "oli", "pat")
    two = strict.receive("erasure", *(("email", f"{name}@example.org", "raw") for name in names[:2]))
    assert strict.later(two).trouble == "IDENTIFIERS_SHARED", "of each request all are erased, or nobody"
    assert strict.desk.decide(two.id, SharedRule.REFUSE).status is RequestStatus.CANCELLED
    three = strict.receive("erasure", *(("email", f"{name}@example.org", "raw") for name in names))
    assert strict.later(three).results == 3 and strict.graph.restrictions.find(key("phone:+15550100300")) is None


@pytest.mark.parametrize("form", ["sha256", "sha1", "md5"])
def test_a_digest_finds_whom_it_is_of(office: Office, form: str) -> None:
    digest = hashlib.new(form, EMAIL.encode()).hexdigest().upper()
    request = office.receive("erasure", ("email", digest, form))
    assert office.later(request, 0).status is RequestStatus.PENDING and not office.sees(f"email:{EMAIL}")
    assert office.later(request).results == 4
    nobody = office.later(office.receive("erasure", ("email", "0" * len(digest), form)))
    assert (nobody.status, nobody.results) == (RequestStatus.COMPLETED, 0)


def test_who_is_not_known_is_no_error(office: Office) -> None:
    before = office.graph.digest()
    done = office.later(office.receive("erasure", ("email", "nobody@example.org", "raw")))
    assert (done.status, done.results, done.erasures) == (RequestStatus.COMPLETED, 0, ())
    assert office.graph.digest() == before and not office.desk.shown(done)


def test_others_are_as_if_she_had_never_been(office: Office, tmp_path: Path) -> None:
    office.later(office.receive())
    digest = office.graph.digest()
    office.graph.close()
    with told(household()) as other:
        assert other.digest() == digest


def test_what_comes_while_it_is_pending_goes_too(office: Office) -> None:
    request = office.receive()
    tell(office.graph, [event("z9", 60, f"email:{EMAIL}", "device_id:z-new")])
    assert not office.sees("device_id:z-new")
    assert office.later(request).results == 5
    assert office.graph.restrictions.find(key("device_id:z-new")) is None


@pytest.mark.parametrize("where", ["_carry_out", "erase", "scrub", "_end", "finish"])
def test_killed_anywhere_it_is_finished_by_who_comes_next(
    office: Office, tmp_path: Path, where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = office.receive()
    office.clock.tick(HOUR)

    def die(*_: object, **__: object) -> None:
        raise Killed

    place: Any = {
        "erase": office.graph.store.privacy,
        "scrub": office.graph.store.privacy,
        "finish": office.graph.forget,
    }
    with monkeypatch.context() as patch:
        patch.setattr(place.get(where, office.desk), where, die)
        with pytest.raises(Killed):
            office.desk.round()
    kept = office.desk.find(request.id)
    assert kept.status is RequestStatus.IN_PROGRESS and not office.sees(f"email:{EMAIL}")
    gone = office.graph.restrictions.find(key(f"email:{EMAIL}")) is None
    assert gone == (where in ("scrub", "_end", "finish")) == (kept.identities == ())
    office.graph.forget.resume()  # as `serve` begins
    after = desk_of(office.graph, tmp_path)
    assert after.round() == ""
    done = after.find(request.id)
    assert (done.status, done.results) == (RequestStatus.COMPLETED, 4)
    assert len(after.results(request.id)) == 1 and office.graph.store.erasures.open() == []


def test_one_that_fails_keeps_no_other_waiting(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    bad, good = office.receive(), office.receive("access", ("email", "oli@example.org", "raw"))
    office.clock.tick(HOUR)

    def fail(*_: object) -> None:
        raise StoreError("STORE_FULL", "no room")

    with monkeypatch.context() as patch:
        patch.setattr(office.graph.forget, "erase_within", fail)
        assert office.desk.round() == "STORE_FULL"
    assert office.desk.find(good.id).status is RequestStatus.COMPLETED
    assert office.desk.find(bad.id).status is RequestStatus.IN_PROGRESS
    assert office.desk.round() == "" and office.desk.find(bad.id).status is RequestStatus.IN_PROGRESS
    assert office.later(bad, 5).status is RequestStatus.COMPLETED


def test_two_servers_do_it_once(office: Office, tmp_path: Path) -> None:
    request = office.receive()
    other = desk_of(office.graph, tmp_path)
    office.clock.tick(HOUR)
    stale = office.graph.store.subject_requests.due(office.clock())
    assert office.desk.round() == "" == other.round()
    for one in stale:  # as read by who was slow
        other._advance(one, {}, lambda _: None)
    done = office.desk.find(request.id)
    assert done.status is RequestStatus.COMPLETED and len(done.erasures) == 1
    assert replace(done, calls=()) == replace(other.find(request.id), calls=())
