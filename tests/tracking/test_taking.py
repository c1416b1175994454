"""The tracking API as a client of it sees it, over HTTP."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.tracking.serving import Serving, serving


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    with serving(f"sqlite:///{tmp_path_factory.mktemp('tracking') / 'people.db'}") as started:
        yield started


def test_what_was_sent_is_in_the_profile(server: Serving) -> None:
    sent = {
        "userId": "thin",
        "anonymousId": "thin-1",
        "traits": {"email": "Thin@Example.org", "plan": "pro"},
        "timestamp": "2026-01-02T03:04:05Z",
    }
    answer = server.send("/v1/identify", sent)
    assert (answer.status, answer.body) == (200, {"success": True})
    person = server.person_soon("email", "thin@example.org")
    assert person["profile"]["values"] == {"email": "Thin@Example.org", "plan": "pro"}
    keys = {entry["identifier"]["key"] for entry in person["identifiers"]}
    assert keys == {"user_id:thin", "anonymous_id:thin-1", "email:thin@example.org"}
