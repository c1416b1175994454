"""The conformance kit, first half: what a processor must answer. Numbers are those of the sections of specification.md,
OpenDSR 2.0. Every test runs against any processor, see README.md; what only ours promises is in other files."""

from __future__ import annotations

import base64
import json
import uuid
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import pytest
from cryptography import x509
from cryptography.x509.verification import PolicyBuilder, Store

from tests.opendsr.controller import DOMAIN, SIGNATURE, Controller

TYPES = {
    *("controller_customer_id", "android_advertising_id", "android_id", "email", "fire_advertising_id"),
    *("ios_advertising_id", "ios_vendor_id", "microsoft_advertising_id", "microsoft_publisher_id"),
    *("roku_publisher_id", "roku_advertising_id"),
}
REQUIRED = ("regulation", "subject_request_id", "subject_request_type", "submitted_time", "subject_identities")


def a_time(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    assert moment.tzinfo is not None and moment.tzinfo.utcoffset(moment) is not None, "RFC 3339 has a zone"
    return moment


# ---- 3 and 6: where it is, and discovery


def test_the_address_has_the_major_version(processor: Controller) -> None:
    """3.4"""
    assert "v2" in urlsplit(processor.url).path.split("/")
    assert processor.ask("GET", "/discovery").status == 200


def test_discovery_says_what_is_supported(processor: Controller) -> None:
    """6.3"""
    answer = processor.ask("GET", "/discovery")
    assert answer.status == 200 and answer.headers.get_content_type() == "application/json"
    found = answer.json
    assert isinstance(found["api_version"], str) and found["api_version"].startswith("2")
    assert found["supported_identities"] and set(found["supported_subject_request_types"]) <= {
        *("access", "portability", "erasure")
    }
    for one in found["supported_identities"]:
        assert one["identity_format"] in ("raw", "sha1", "md5", "sha256") and one["identity_type"]
        assert "identity_value" not in one
    assert {one["identity_type"] for one in found["supported_identities"]} & TYPES


def test_the_certificate_is_of_the_domain_that_answers(processor: Controller) -> None:
    """6.3, 8.3"""
    answer = processor.ask("GET", "/discovery")
    domain = answer.headers[DOMAIN]
    assert urlsplit(answer.json["processor_certificate"]).hostname == domain == urlsplit(processor.url).hostname
    names = processor.certificates[0].extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert domain in names.get_values_for_type(x509.DNSName)


def test_the_certificate_is_issued_by_somebody_else(processor: Controller) -> None:
    """4.1: a self-signed certificate MUST NOT be used"""
    own = processor.certificates[0]
    assert own.issuer != own.subject
    assert own.not_valid_before_utc <= datetime.now(UTC) <= own.not_valid_after_utc


def test_the_certificate_leads_to_a_trusted_authority(processor: Controller) -> None:
    """4.1; OPENDSR_CA names the file of the authorities of another processor."""
    if not processor.roots:
        pytest.skip("OPENDSR_CA names no authorities")
    own, *between = processor.certificates
    store = Store(x509.load_pem_x509_certificates(processor.roots))
    domain = urlsplit(processor.url).hostname or ""
    assert PolicyBuilder().store(store).build_server_verifier(x509.DNSName(domain)).verify(own, between)


# ---- 7: requests


def test_a_request_is_taken_and_signed_for(processor: Controller) -> None:
    """3.1, 4.2, 7.3"""
    body = json.dumps(processor.request()).encode()
    answer = processor.ask("POST", "/requests", body)
    found = processor.check(answer, 201)
    assert found["controller_id"] and isinstance(found["controller_id"], str)
    assert base64.b64decode(found["encoded_request"], validate=True) == body
    assert found["subject_request_id"] == json.loads(body)["subject_request_id"]
    assert a_time(found["received_time"]) <= a_time(found["expected_completion_time"])
    assert found["processor_signature"]
    assert not processor.signed(answer.body + b" ", answer.headers[SIGNATURE])


@pytest.mark.parametrize("kind", ["access", "portability", "erasure"])
@pytest.mark.parametrize("regulation", ["gdpr", "ccpa"])
def test_each_kind_that_discovery_lists_is_taken(processor: Controller, kind: str, regulation: str) -> None:
    """7.1.1"""
    answer = processor.send(subject_request_type=kind, regulation=regulation)
    if kind in processor.discovery["supported_subject_request_types"]:
        processor.check(answer, 201)
    else:
        processor.refused(answer)


@pytest.mark.parametrize("name", REQUIRED)
def test_what_is_required_is_required(processor: Controller, name: str) -> None:
    """7.1.1, 7.5, 7.6"""
    processor.refused(processor.send(**{name: None}))


@pytest.mark.parametrize("name", ["identity_type", "identity_value", "identity_format"])
def test_every_member_of_an_identity_is_required(processor: Controller, name: str) -> None:
    """5.3"""
    short = {key: value for key, value in processor.identity.items() if key != name}
    processor.refused(processor.send(subject_identities=[short]))


WRONG: dict[str, dict[str, Any]] = {
    "regulation": {"regulation": "lgpd"},
    "type": {"subject_request_type": "rectification"},
    "id not of version 4": {"subject_request_id": "a7551968-d5d6-11b2-9831-815ac9017798"},
    "id in upper case": {"subject_request_id": "A7551968-D5D6-44B2-9831-815AC9017798"},
    "id is a number": {"subject_request_id": 7},
    "id without hyphens": {"subject_request_id": "a7551968d5d644b29831815ac9017798"},
    "time without a zone": {"submitted_time": "2026-10-02T15:00:00"},
    "time in words": {"submitted_time": "yesterday"},
    "no such day": {"submitted_time": "2026-02-30T15:00:00Z"},
    "no identities": {"subject_identities": []},
    "identities are no list": {"subject_identities": {"identity_type": "email"}},
    "callbacks are no list": {"status_callback_urls": "https://example.org"},
    "callback is no address": {"status_callback_urls": ["nowhere"]},
    "callback with a password": {"status_callback_urls": ["https://ann:secret@example.org/x"]},
    "callback to a file": {"status_callback_urls": ["file:///etc/passwd"]},
    "extensions are no object": {"extensions": [1]},
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_400(processor: Controller, name: str) -> None:
    """1.1, 5, 7.1, 7.5"""
    processor.refused(processor.send(**WRONG[name]))


def test_an_identity_that_discovery_does_not_list_is_refused(processor: Controller) -> None:
    """5.1, 5.2"""
    listed = {(one["identity_type"], one["identity_format"]) for one in processor.discovery["supported_identities"]}
    value = "somebody-whom-nobody-knows"
    for kind in [*sorted(TYPES), "shoe_size"]:
        for form in ("raw", "rot13"):
            if (kind, form) not in listed:
                sent = [{"identity_type": kind, "identity_value": value, "identity_format": form}]
                processor.refused(processor.send(subject_identities=sent), value)


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"null", b'"x"', b"\xff\xfe", b'{"a":' * 2_000], ids=lambda b: b[:4]
)
def test_what_is_no_request_at_all_is_400(processor: Controller, body: bytes) -> None:
    """7.5"""
    processor.refused(processor.ask("POST", "/requests", body))


def test_extensions_of_others_are_left_alone(processor: Controller) -> None:
    """7.1.2"""
    other = {"other-processor.example": {"property_id": 1, "identities": "whatever it wants"}}
    processor.check(processor.send(extensions=other), 201)


def test_the_same_request_again_is_the_same_request(processor: Controller) -> None:
    """7.1.1: the id is the controller's, made once a request"""
    body = json.dumps(processor.request()).encode()
    first = processor.check(processor.ask("POST", "/requests", body), 201)
    again = processor.check(processor.ask("POST", "/requests", body), 201)
    for name in ("controller_id", "expected_completion_time", "received_time", "encoded_request", "subject_request_id"):
        assert first[name] == again[name]
    other = processor.request(subject_request_id=first["subject_request_id"], regulation="ccpa")
    processor.refused(processor.ask("POST", "/requests", other))


# ---- 8: status


@pytest.mark.parametrize("path", ["/requests", "/status"])
def test_a_request_has_a_status(processor: Controller, path: str) -> None:
    """3.1, 8, 8.1, 8.3"""
    sent = processor.send().json
    found = processor.check(processor.ask("GET", f"{path}/{sent['subject_request_id']}"), 200)
    assert found["request_status"] in ("pending", "in_progress", "completed", "cancelled")
    for name in ("controller_id", "expected_completion_time", "subject_request_id"):
        assert found[name] == sent[name]


@pytest.mark.parametrize("id", [str(uuid.UUID(int=7, version=4)), "nothing", "%2e%2e", "a" * 1_000])
@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_a_request_that_nobody_made_has_none(processor: Controller, method: str, id: str) -> None:
    """7.5"""
    assert processor.ask(method, f"/requests/{id}").status in (400, 404)


# ---- 9: cancellation


def test_what_is_pending_can_be_cancelled(processor: Controller) -> None:
    """9, 9.2"""
    sent = processor.send(subject_request_type=processor.discovery["supported_subject_request_types"][0]).json
    id = sent["subject_request_id"]
    assert processor.status(id)["request_status"] == "pending", "OPENDSR_URL names one that does not wait"
    found = processor.check(processor.ask("DELETE", f"/requests/{id}"), 202)
    assert found["controller_id"] == sent["controller_id"] and found["subject_request_id"] == id
    assert a_time(found["received_time"]) >= a_time(sent["received_time"])
    assert found["processor_signature"]
    assert processor.status(id)["request_status"] == "cancelled"


# ---- 4.3, 7.6 and 10.1


def test_who_may_not_ask_is_not_answered(processor: Controller) -> None:
    """4.3: authentication is the processor's; its errors are none of a request's"""
    if not processor.authorization:
        pytest.skip("OPENDSR_AUTHORIZATION is not set: the processor asks for nothing")
    answer = processor.ask("POST", "/requests", processor.request(), anonymous=True)
    assert answer.status in (401, 403) and answer.json["error"]["code"] == answer.status
    assert processor.identity["identity_value"] not in answer.body.decode()


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_the_names_of_opengdpr_are_honoured(processor: Controller, method: str) -> None:
    """10.1"""
    asked = processor.request()
    answer = processor.ask("POST", "/opengdpr_requests", asked)
    processor.check(answer, 201)
    assert answer.headers["X-OpenGDPR-Processor-Domain"] == answer.headers[DOMAIN]
    assert processor.signed(answer.body, answer.headers["X-OpenGDPR-Signature"])
    answer = processor.ask(method, f"/opengdpr_requests/{asked['subject_request_id']}")
    assert answer.status == {"GET": 200, "DELETE": 202}[method]
