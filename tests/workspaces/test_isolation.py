"""Nothing of one workspace is ever met in another: in no answer, log or file."""

from __future__ import annotations

import logging
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from identity_graph.access import Role
from tests.conftest import NIGHTLY
from tests.workspaces.conftest import NAMES, Service

OPERATIONS = 100_000 if NIGHTLY else 10_000
AT_ONCE = 20
"""The most that one request does: as many messages, or questions for a person."""
PEOPLE = """query ($by: [PersonBy!]!) { people(by: $by) { id confidence identifiers { identifier { key } }
  profile { values } journey(last: 5) { nodes { name source properties } } segments { name } } }"""
PERSONS = "{ persons(first: 20) { nodes { id profile { values } identifiers { identifier { key } } } } }"
CHANGES = "{ changes(first: 50) { nodes { kind personId segment } } }"
SEGMENTS = "{ segments { name description size } }"
STATS = "{ stats { events persons quarantined } runs(first: 5) { nodes { id source loader } } }"


class Wandering:
    """Random operations, one request after the other; each answer is looked through at once."""

    def __init__(self, service: Service, seed: int) -> None:
        self.service = service
        self.dice = random.Random(seed)
        self.people = dict.fromkeys(NAMES, 0)
        self.counts: dict[str, int] = {}
        self.answered = 0

    def canary(self, name: str, person: int) -> dict[str, str]:
        """What names somebody, and what is said of them."""
        return {"email": f"name-canary-{name}-{person}@example.org", "said": f"said-canary-{name}-{person}"}

    def look(self, name: str, answer: Any, *, asked: str = "") -> None:
        """`asked`: whose names the request itself had, which an answer may repeat; never what is said of them."""
        text = answer.text + repr(sorted(answer.headers.items()))
        for other in NAMES:
            if other != name:
                assert f"said-canary-{other}" not in text, (name, other, text[:2000])
                assert other == asked or f"name-canary-{other}" not in text, (name, other, text[:2000])
        self.answered += 1

    def step(self) -> None:
        kind = self.dice.choice(
            ["track"] * 6 + ["person"] * 4 + ["foreign"] * 4 + ["key"] * 3 + ["all"] * 2 + ["erase", "segment", "path"]
        )
        done = getattr(self, f"_{kind}")(self.dice.choice(NAMES))
        self.counts[kind] = self.counts.get(kind, 0) + done

    @property
    def done(self) -> int:
        return sum(self.counts.values())

    def _several(self) -> range:
        return range(self.dice.randint(1, AT_ONCE))

    def _key(self, name: str) -> int:
        """Of another workspace: an API key, or a write key."""
        other = self.dice.choice([one for one in NAMES if one != name])
        key = self.service.keys[other][self.dice.choice(list(Role))]
        answer = self.service.ask(name, key, self.dice.choice([PERSONS, STATS, SEGMENTS]))
        assert answer.status_code == 401 and "data" not in answer.json()
        self.look(name, answer)
        sent = {"type": "track", "event": "e", "userId": self.canary(other, 0)["email"]}
        answer = self.service.client.post(f"/w/{name}/v1/track", json=sent, auth=(f"write-{other}", ""))
        assert answer.status_code == 401
        self.look(name, answer)
        return 2

    def _track(self, name: str) -> int:
        messages = [self._message(name) for _ in self._several()]
        path, sent = ("batch", {"batch": messages}) if len(messages) > 1 else ("identify", messages[0])
        answer = self.service.client.post(f"/w/{name}/v1/{path}", json=sent, auth=(f"write-{name}", ""))
        assert answer.status_code == 200, answer.text
        self.look(name, answer)
        return len(messages)

    def _message(self, name: str) -> dict[str, Any]:
        person = self.people[name] = self.people[name] + self.dice.randrange(2)
        told = self.canary(name, person)
        return {
            "type": "identify",
            "userId": f"u-{told['email']}",
            "messageId": f"m{self.dice.random()}",
            "anonymousId": f"shared-{self.dice.randrange(200)}",  # the same text in all of them
            "traits": {"email": told["email"], "plan": told["said"]},
        }

    def _by(self, name: str) -> dict[str, Any]:
        if self.dice.random() < 0.3:
            return {"identifier": {"namespace": "anonymous_id", "value": f"shared-{self.dice.randrange(200)}"}}
        email = self.canary(name, self.dice.randrange(self.people[name] + 1))["email"]
        return {"identifier": {"namespace": "email", "value": email}}

    def _person(self, name: str) -> int:
        key = self.service.keys[name][self.dice.choice([Role.APP_READER, Role.PRIVACY_OFFICER])]
        by = [self._by(name) for _ in self._several()]
        answer = self.service.ask(name, key, PEOPLE, {"by": by})
        assert answer.status_code == 200 and len(answer.json()["data"]["people"]) == len(by), answer.text
        self.look(name, answer)
        return len(by)

    def _foreign(self, name: str) -> int:
        """Persons that only another one has, asked for with the right key."""
        other = self.dice.choice([one for one in NAMES if one != name])
        emails = [self.canary(other, self.dice.randrange(self.people[other] + 1))["email"] for _ in self._several()]
        by = [{"identifier": {"namespace": "email", "value": email}} for email in emails]
        answer = self.service.ask(name, self.service.keys[name][Role.APP_READER], PEOPLE, {"by": by})
        assert answer.json()["data"] == {"people": [None] * len(by)}
        self.look(name, answer, asked=other)
        return len(by)

    def _all(self, name: str) -> int:
        keys = self.service.keys[name]
        for query, role in ((PERSONS, Role.PRIVACY_OFFICER), (CHANGES, Role.ANALYST), (STATS, Role.ADMIN)):
            answer = self.service.ask(name, keys[role], query)
            assert "errors" not in answer.json(), answer.text
            self.look(name, answer)
        for path in ("metrics", "schema.graphql"):
            bearer = {"authorization": f"Bearer {keys[Role.ADMIN]}"}
            self.look(name, self.service.client.get(f"/w/{name}/{path}", headers=bearer))
        return 5

    def _segment(self, name: str) -> int:
        condition = {"trait": {"name": "plan", "is": {"exists": True}}}
        mutation = "mutation ($n: String!, $c: ConditionInput!) { saveSegment(name: $n, condition: $c) { name size } }"
        saved = {"n": f"said-canary-{name}-segment", "c": condition}
        answer = self.service.ask(name, self.service.keys[name][Role.ADMIN], mutation, saved)
        assert "errors" not in answer.json(), answer.text
        self.look(name, answer)
        self.look(name, self.service.ask(name, self.service.keys[name][Role.ADMIN], SEGMENTS))
        return 2

    def _erase(self, name: str) -> int:
        key = self.service.keys[name][Role.PRIVACY_OFFICER]
        preview = "query ($by: PersonBy!) { previewErasure(by: $by) { token events exclusive { key } } }"
        answer = self.service.ask(name, key, preview, {"by": self._by(name)})
        self.look(name, answer)
        found = (answer.json().get("data") or {}).get("previewErasure")
        if found:
            erase = "mutation ($t: String!) { erase(token: $t) { id document } }"
            answer = self.service.ask(name, key, erase, {"t": found["token"]})
            self.look(name, answer)
        return 2 if found else 1

    def _path(self, name: str) -> int:
        """Ways around a name."""
        other = self.dice.choice([one for one in NAMES if one != name])
        bearer = {"authorization": f"Bearer {self.service.keys[name][Role.ADMIN]}"}
        for path in (f"/w/{name}/../{other}/metrics", f"/w/{name}%2f..%2f{other}/metrics", f"/w//{other}/metrics"):
            answer = self.service.client.get(path, headers=bearer)
            assert answer.status_code in (401, 404), (path, answer.status_code)
            self.look(name, answer)
        return 3


def contents(folder: Path) -> Iterator[tuple[str, bytes]]:
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            yield path.relative_to(folder).as_posix(), path.read_bytes()


def test_no_canary_is_met_elsewhere(service: Service, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    seed = random.SystemRandom().randrange(10**6)  # another one each time; a failing test shows it
    print(f"seed {seed}")
    wandering = Wandering(service, seed)
    while wandering.done < OPERATIONS:
        wandering.step()
        if len(caplog.records) > 10_000:
            _look_through_log(caplog)
    print(f"{wandering.answered:,} requests: {wandering.counts}")
    assert wandering.answered >= OPERATIONS // 10 and min(wandering.counts.values()) > 10
    assert all(wandering.people.values())
    _look_through_log(caplog)
    own = 0
    for name in NAMES:
        for file, content in contents(service.folder / name):
            own += f"canary-{name}-".encode() in content
            for other in NAMES:
                assert other == name or f"canary-{other}-".encode() not in content, (file, other)
    assert own >= len(NAMES)  # so they are found where they belong


def _look_through_log(caplog: pytest.LogCaptureFixture) -> None:
    """It is of the whole service, so nothing that names somebody stands in it at all."""
    for record in caplog.records:
        assert "said-canary" not in record.getMessage() and "name-canary" not in record.getMessage()
    caplog.clear()
