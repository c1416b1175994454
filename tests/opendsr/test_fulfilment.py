"""The conformance kit, second half: that a processor does what it was asked, and tells of it.

Sections are those of specification.md, OpenDSR 2.0."""

from __future__ import annotations

import json
import uuid

import pytest

from tests.opendsr.controller import DOMAIN, SIGNATURE, Controller, Receiver, waited
from tests.opendsr.test_requests import a_time

ORDER = ["pending", "in_progress", "completed"]


def known(processor: Controller, kind: str) -> str:
    """The kind, if the processor has it."""
    if kind not in processor.discovery["supported_subject_request_types"]:
        pytest.skip(f"the processor does not take {kind}")
    return kind


@pytest.mark.parametrize("kind", ["access", "portability", "erasure"])
def test_every_change_of_status_is_told_to_everybody(prompt: Controller, receiver: Receiver, kind: str) -> None:
    """8, 8.5: all included callbacks MUST be invoked on request state change"""
    urls = [f"{receiver.url}/one", f"{receiver.url}/two"]
    id = prompt.send(subject_request_type=known(prompt, kind), status_callback_urls=urls).json["subject_request_id"]
    waited(
        lambda: all("completed" in receiver.told(id, path) for path in ("/one", "/two")),
        prompt.patience,
    )
    for path in ("/one", "/two"):
        told = receiver.told(id, path)
        assert told == [status for status in ORDER if status in told] and told[-1] == "completed"
    assert prompt.status(id)["request_status"] == "completed"


def test_a_callback_is_signed_and_whole(prompt: Controller, receiver: Receiver) -> None:
    """4.3, 8.6, 8.8"""
    url = f"{receiver.url}/opendsr/callbacks?of=kit"
    sent = prompt.send(status_callback_urls=[url]).json
    waited(lambda: "completed" in receiver.told(sent["subject_request_id"]), prompt.patience)
    for _, body, headers in receiver.got:
        assert headers.get_content_type() == "application/json"
        assert headers[DOMAIN] == prompt.ask("GET", "/discovery").headers[DOMAIN]
        assert prompt.signed(body, headers[SIGNATURE]) and not prompt.signed(body + b" ", headers[SIGNATURE])
        found = json.loads(body)
        assert found["status_callback_url"] == url
        assert found["controller_id"] == sent["controller_id"]
        assert found["request_status"] in ORDER and a_time(found["expected_completion_time"])
        assert str(uuid.UUID(found["subject_request_id"])) == found["subject_request_id"]
        assert prompt.identity["identity_value"] not in body.decode()


def test_a_callback_that_fails_is_sent_again(prompt: Controller, receiver: Receiver) -> None:
    """8.5: at least once, and retried"""
    receiver.next += [503, 500]
    id = prompt.send(status_callback_urls=[f"{receiver.url}/x"]).json["subject_request_id"]
    waited(lambda: "completed" in receiver.told(id), prompt.patience)
    told = [body["request_status"] for body in receiver.of(id)]
    assert len(told) == len(set(told)) + 2 and told[0] == told[1] == told[2]


def test_what_is_done_cannot_be_cancelled(prompt: Controller) -> None:
    """9: while in status pending"""
    id = prompt.send().json["subject_request_id"]
    found = prompt.until(id, "completed")
    assert found.get("results_count", 0) >= 0
    prompt.refused(prompt.ask("DELETE", f"/requests/{id}"))
    assert prompt.status(id)["request_status"] == "completed"


@pytest.mark.parametrize("kind", ["access", "portability"])
def test_results_are_where_the_status_says(prompt: Controller, kind: str) -> None:
    """8.3"""
    id = prompt.send(subject_request_type=known(prompt, kind)).json["subject_request_id"]
    found = prompt.until(id, "completed")
    if "results_url" in found:
        assert found["results_url"].startswith(("https://", "http://localhost:"))
