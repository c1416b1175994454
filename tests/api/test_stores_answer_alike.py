"""Every shipped operation, asked of SQLite and of Neo4j at once: one answer, to the last character."""

from __future__ import annotations

from collections.abc import Iterator
from operator import gt
from typing import Any

import pytest
from starlette.testclient import TestClient

from identity_graph import IdentityGraph
from identity_graph.api import create_app
from identity_graph.model import Identifier
from identity_graph.policy import Policy
from identity_graph.signing import render, verify
from identity_graph.store.keyring import VARIABLE
from tests.api.conftest import (
    ANN,
    BOB,
    CAROL,
    DAN,
    EVENTS,
    OPERATIONS,
    PATIENT,
    SEGMENT,
    Api,
    email_of,
    event,
    operation_text,
    peopled,
)
from tests.conftest import Clock
from tests.neo4j.database import emptied
from tests.story.places import MEMORY
from tests.story.worlds import numbered

MOST = {
    "person": (13, 1),
    "profile": (13, 1),
    "journey": (13, 1),
    "sessions": (13, 1),
    "links": (18, 6),
    "merge_support": (27, 4),
    "merge_suggestions": (25, 2),
    "preview_erasure": (41, 44),  # one that publishes first
    "person_as_of": (29, 27),
    "segment_members": (30, 4),
    "people": (24, 3),
    "person_by_email": (13, 1),
    "identifier": (17, 7),
    "explain": (23, 24),  # once more for the events of the links
    "persons_page": (28, 19),
    "changes": (2, 2),
    "runs": (1, 1),
    "segments": (1, 1),
    "stats": (17, 1),
    "preview_segment": (26, 16),
    "segment_overlap": (3, 3),
    "computed_traits": (15, 3),
    "touchpoints": (13, 1),
    "quarantine": (2, 2),
    "node": (22, 9),
    "run": (1, 1),
    "members_for": (125, 101),
    "person_for": (40, 32),
    "restrictions": (5, 7),
}
"""Statements that a question takes at most in this world, on SQLite and on Neo4j, whoever is asked for."""
CHANGING = {"save_segment", "save_computed_trait", "delete_computed_trait", "ingest", "replay_quarantine", "activate"}
CHANGING |= {"send_again", "link", "unlink", "resolve", "delete_segment", "erase", "erase_all", "resume_erasures"}
CHANGING |= {"state_consent", "restrict", "unrestrict", "unsuppress"}


class Pair:
    """The same world in both stores, with the same ids and clock."""

    def __init__(self, *apis: Api) -> None:
        self.apis = apis
        self.asked: set[str] = set()
        self.most: dict[str, tuple[int, ...]] = {}

    def run(self, operation: str, **variables: Any) -> Any:
        """What both answered, which may be a refusal."""
        self.asked.add(operation)
        here, there = self.answers(operation, **variables)
        assert here == there, (operation, variables)
        return here.get("data")

    def answers(self, operation: str, **variables: Any) -> list[dict[str, Any]]:
        """And of how many statements each store took for them, the most."""
        answers, counts = [], []
        for api in self.apis:
            heard: list[str] = []
            with api.graph.store.trace(heard.append):
                answers.append(api.post(operation_text(operation), variables))
            counts.append(len([text for text in heard if text not in ("BEGIN", "COMMIT")]))
        before = self.most.get(operation, (0,) * len(counts))
        self.most[operation] = tuple(max(pair) for pair in zip(before, counts, strict=True))
        return answers

    def walk(self, operation: str, field: str, **variables: Any) -> int:
        """All pages of a list; how many rows there were."""
        after, found = None, 0
        while True:
            page = self.run(operation, after=after, **variables)[field]
            found += len(page["nodes"])
            after = page["pageInfo"]["endCursor"]
            if not page["pageInfo"]["hasNextPage"]:
                return found


def peopled_at(url: str) -> Api:
    clock = Clock()
    policy = Policy.parse('[purposes.mail]\nchoice = "opt-out"\nstitch = true')
    graph = IdentityGraph.open(url, policy, clock=clock, new_id=numbered())
    return peopled(Api(graph, TestClient(create_app(graph, terms=PATIENT))), clock)


def token_of(pair: Pair, email: str) -> str:
    """Of a preview that is the same in both."""
    found = set()
    for api in pair.apis:
        (person,) = api.graph.people.find_by_identifier([Identifier("email", email)])
        preview = person and api.graph.forget.preview(person.id)
        assert preview
        found.add(preview.token)
    (token,) = found
    return token


@pytest.fixture
def pair(neo4j_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Pair]:
    monkeypatch.setenv(VARIABLE, "ab" * 32)  # or receipts would tell everybody else by two keys
    here, there = peopled_at(MEMORY), peopled_at(emptied(neo4j_url))
    with here.graph, there.graph:
        yield Pair(here, there)


def test_every_operation_answers_alike(pair: Pair) -> None:
    everybody = [email_of(ANN), email_of(BOB), email_of(CAROL), email_of(DAN), email_of("nobody@example.org")]
    ((retired, survivor),) = pair.apis[0].retired.items()
    for by in [*everybody, {"id": retired}, {"id": survivor}, {"id": "unknown"}, {"id": "\0"}]:
        for name in (
            "person",
            "profile",
            "journey",
            "sessions",
            "links",
            "merge_support",
            "merge_suggestions",
            "preview_erasure",
        ):
            pair.run(name, by=by)
        for view in ({"asOf": "2025-12-04T00:00:00Z"}, {"withoutSources": ["crm", "calls"]}, {"minConfidence": 0.7}):
            pair.run("person_as_of", by=by, view=view)
        pair.run("segment_members", name="vip", person=by)
    pair.run("preview_erasure", by=email_of(ANN), scope="EXACT")
    pair.run("people", by=[*everybody, {"id": retired}])
    pair.run("person_by_email", email="ANN@example.org")
    page = pair.run("journey", by=email_of(ANN), last=2)["person"]["journey"]["pageInfo"]
    pair.run("journey", by=email_of(ANN), last=3, before=page["startCursor"])
    orders = {"names": ["Order Completed"], "from": "2025-12-02T09:00:00Z", "to": "2025-12-20T10:00:00+01:00"}
    pair.run("journey", by=email_of(ANN), filter=orders)

    seen = {(one["namespace"], one["value"]) for sent in EVENTS for one in sent["identifiers"]}
    keys = [{"namespace": namespace, "value": value} for namespace, value in sorted(seen)]
    for one in [*keys, {"namespace": "email", "value": "nobody@example.org"}, {"namespace": "email", "value": "?"}]:
        pair.run("identifier", by=one)
        pair.run("explain", a=keys[0], b=one)
        pair.run("explain", a=one, b={"namespace": "user_id", "value": "u1"})

    assert pair.walk("persons_page", "persons", first=1) == 4
    for order in ("ID", "CREATED", "UPDATED", "LAST_SEEN", "SIZE"):
        assert pair.walk("persons_page", "persons", first=1, orderBy=order) == 4
        pair.walk("persons_page", "persons", first=1, orderBy=order, condition={"not": {"segment": "vip"}})
        pair.run("persons_page", last=2, orderBy=order)
    pair.run("persons_page", condition={"segment": "unknown"})
    assert pair.walk("changes", "changes", first=2) == 7
    assert pair.walk("runs", "runs", first=1) == 4
    pair.run("changes", kinds=["MERGED", "SPLIT"])
    for name in ("segments", "stats"):
        pair.run(name)
    pair.run("preview_segment", condition=SEGMENT)
    pair.run("preview_segment", condition={"not": {"segment": "vip"}})
    pair.run("save_segment", name="others", condition={"not": {"segment": "vip"}})
    pair.run("save_segment", name="x", condition={"segment": "unknown"})
    pair.run("segment_members", name="others", person=email_of(BOB), first=2)
    pair.run("segment_members", name="unknown", person=email_of(BOB))
    for other in ("others", "vip", "unknown"):
        pair.run("segment_overlap", name="vip", **{"with": other})

    spent = {"measure": "SUM", "property": "total", "names": ["Order Completed"]}
    pair.run("save_computed_trait", name="spent", definition=spent)
    pair.run("save_computed_trait", name="channel", definition={"measure": "MOST_FREQUENT", "property": "?"})
    for one in everybody:
        pair.run("computed_traits", by=one)
        pair.run("touchpoints", by=one)
        pair.run("touchpoints", by=one, filter=orders, bucket="NAME")
        pair.run("touchpoints", by=one, bucket="WEEK")
        pair.run("sessions", by=one, filter=orders)
    pair.run("delete_computed_trait", name="spent")
    pair.run("delete_computed_trait", name="spent")

    pair.run("ingest", events=EVENTS)
    odd = [
        EVENTS[0] | {"name": "Another"},
        EVENTS[1] | {"identifiers": []},
        event("z", "2026-02-01T00:00:00Z", "web", "x", {}),
    ]
    pair.run("ingest", events=odd)
    assert pair.walk("quarantine", "quarantine", first=1) == 3
    pair.run("quarantine", code="ID_REUSE")
    (run,) = pair.run("runs", first=1)["runs"]["nodes"]
    records = [record["id"] for record in pair.run("quarantine")["quarantine"]["nodes"]]
    for node in (retired, survivor, "a1", "segment:vip", run["id"], records[0], "unknown", "quarantine:99", "\0"):
        pair.run("node", id=node)
    pair.run("run", id=run["id"])
    pair.run("run", id="unknown")
    pair.run("replay_quarantine", ids=records[:1])
    pair.run("replay_quarantine", ids=["quarantine:99"])
    pair.run("replay_quarantine")
    pair.run("activate", destination="none")
    pair.run("send_again")

    two = {"a": {"namespace": "user_id", "value": "u1"}, "b": {"namespace": "user_id", "value": "u2"}}
    pair.run("link", **two, reason="two logins")
    pair.run("people", by=everybody)
    pair.run("unlink", **two, reason="they are not")
    pair.run("resolve", full=True)
    pair.run("people", by=everybody)
    pair.run("delete_segment", name="others")
    pair.run("delete_segment", name="others")

    cookie = {"namespace": "anonymous_id", "value": "x9"}
    pair.run("state_consent", of=cookie, purpose="mail", status="DENIED", expiresAt="2027-01-01T00:00:00Z")
    pair.run("state_consent", of=cookie, purpose="mail", status="DENIED", expiresAt="2017-01-01T00:00:00Z")
    pair.run(
        "state_consent", of={"namespace": "email", "value": "nobody@example.org"}, purpose="mail", status="GRANTED"
    )
    for purpose in ("mail", "unknown"):
        pair.run("state_consent", of=keys[0], purpose=purpose, status="REVOKED")
        pair.run("members_for", name="vip", purpose=purpose)
        for one in everybody:
            pair.run("person_for", by=one, purpose=purpose)
    pair.run("restrict", by=email_of(ANN))
    pair.run("restrictions")
    pair.run("people", by=everybody)
    pair.run("unrestrict", by=email_of(ANN))
    pair.run("unsuppress", identifier=email_of(ANN)["identifier"])

    token = pair.run("preview_erasure", by=email_of(ANN))["previewErasure"]["token"]
    pair.run("erase", token="nonsense")
    pair.run("erase", token=token, shared="REFUSE")
    pair.run("erase_all", tokens=["nonsense"] * 101)
    receipts = [answer["data"]["erase"]["document"] for answer in pair.answers("erase", token=token)]
    assert [receipt.pop("scrubbed") for receipt in receipts] == [True, False], "a server keeps its logs"
    assert receipts[0].pop("signature") != receipts[1].pop("signature")
    assert receipts[0] == receipts[1]
    token = token_of(pair, BOB)
    for api, answer in zip(pair.apis, pair.answers("erase_all", tokens=["nonsense", token, token]), strict=True):
        refused, erased, again = answer["data"]["eraseAll"]
        assert refused == again == {"state": "REFUSED", "code": "TOKEN_INVALID", "receipt": None}
        assert erased["state"] == "SCRUBBED" and erased["receipt"]["document"]["events"] > 0
        assert verify(render(erased["receipt"]["document"]), api.graph.signer.public())
    token = token_of(pair, DAN)
    for api in pair.apis:
        api.graph.forget._request(token)  # and then it was killed
    for api, answer in zip(pair.apis, pair.answers("resume_erasures"), strict=True):
        (resumed,) = answer["data"]["resumeErasures"]
        assert resumed["state"] == "SCRUBBED"
        assert verify(render(resumed["receipt"]["document"]), api.graph.signer.public())
    pair.run("resume_erasures")
    pair.run("ingest", events=EVENTS)
    pair.run("resolve")
    pair.run("people", by=everybody)
    pair.run("stats")
    pair.walk("changes", "changes", first=3)
    subscriptions = {"watch_changes", "watch_run"}  # see `test_watching`
    assert pair.asked == set(OPERATIONS) - subscriptions
    assert {name: most for name, most in pair.most.items() if name in MOST and any(map(gt, most, MOST[name]))} == {}
    assert {name for name in pair.most if name not in MOST} == CHANGING
    digests = [api.graph.digest() for api in pair.apis]
    assert digests[0] == digests[1]
