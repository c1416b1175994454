"""The bodies of answers and callbacks, as OpenDSR writes them, and the headers that sign them."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

import orjson

from identity_graph.opendsr.agreement import VERSION, Agreement
from identity_graph.opendsr.seal import Seal
from identity_graph.subject_request import RequestStatus, SubjectRequest
from identity_graph.times import format_time

SIGNATURE = "processor_signature"
_NAMES = ("OpenDSR", "OpenGDPR")  # what it is called, and was: section 10.1


def headers(agreement: Agreement, seal: Seal, body: bytes) -> dict[str, str]:
    signature = seal.sign(body)
    found = {f"x-{name}-processor-domain".lower(): agreement.domain for name in _NAMES}
    return found | {f"x-{name}-signature".lower(): signature for name in _NAMES}


def signed(seal: Seal, found: Mapping[str, Any]) -> bytes:
    """With the signature of all that comes before it, closed by a brace, as its last member: no signature can be of
    itself."""
    before = orjson.dumps(found)
    return before[:-1] + b',"%s":"%s"}' % (SIGNATURE.encode(), seal.sign(before).encode())


def discovery(agreement: Agreement) -> dict[str, Any]:
    return {
        "api_version": VERSION,
        "supported_identities": [
            {"identity_type": name, "identity_format": form}
            for name in (*agreement.identities, *agreement.extension)
            for form in agreement.formats
        ],
        "supported_subject_request_types": ["access", "portability", "erasure"],
        "processor_certificate": f"{agreement.base}/certificate.pem",
    }


def received(request: SubjectRequest, body: bytes) -> dict[str, Any]:
    return {
        "controller_id": request.controller,
        "expected_completion_time": format_time(request.expected),
        "received_time": format_time(request.received),
        "encoded_request": base64.b64encode(body).decode(),
        "subject_request_id": request.id,
    }


def cancelled(request: SubjectRequest) -> dict[str, Any]:
    return {
        "controller_id": request.controller,
        "subject_request_id": request.id,
        "received_time": format_time(request.ended or request.received),
        "api_version": VERSION,
    }


def status(request: SubjectRequest, agreement: Agreement, shown: bool) -> dict[str, Any]:
    """`shown`: whether there are results to be had."""
    return {
        "controller_id": request.controller,
        "expected_completion_time": format_time(request.expected),
        "subject_request_id": request.id,
        "request_status": request.status.value,
        "api_version": VERSION,
    } | _results(request, agreement, shown)


def callback(request: SubjectRequest, told: RequestStatus, url: str, agreement: Agreement, shown: bool) -> bytes:
    """`told` is the status that it then had."""
    last = told is RequestStatus.COMPLETED
    return orjson.dumps(
        {
            "controller_id": request.controller,
            "expected_completion_time": format_time(request.expected),
            "status_callback_url": url,
            "subject_request_id": request.id,
            "request_status": told.value,
        }
        | (_results(request, agreement, shown) if last else {})
    )


def results(request: SubjectRequest, found: list[dict[str, Any]]) -> dict[str, Any]:
    return {"subject_request_id": request.id, "subject_request_type": request.kind.value, "results": found}


def failed(code: int, domain: str, reason: str, message: str) -> dict[str, Any]:
    detail = {"domain": domain, "reason": reason, "message": message}
    return {"error": {"code": code, "message": message, "errors": [detail]}}


def _results(request: SubjectRequest, agreement: Agreement, shown: bool) -> dict[str, Any]:
    if request.status is not RequestStatus.COMPLETED:
        return {}
    where = {"results_url": f"{agreement.base}/results/{request.id}"} if shown else {}
    return where | {"results_count": request.results or 0}
