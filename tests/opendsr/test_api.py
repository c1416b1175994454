"""Our routes under all their names, and who may use them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from identity_graph.access import Door, Role
from identity_graph.access.keys import KeysFile
from identity_graph.api import create_app
from identity_graph.audit import AuditLog, entries
from identity_graph.errors import StoreError
from identity_graph.opendsr import Agreement
from tests.api.conftest import PATIENT
from tests.opendsr.authority import Authority
from tests.opendsr.conftest import agreed
from tests.story.worlds import new_graph

ID = "a7551968-d5d6-44b2-9831-815ac9017798"
REQUEST: dict[str, Any] = {
    "regulation": "gdpr",
    "subject_request_id": ID,
    "subject_request_type": "erasure",
    "submitted_time": "2026-10-02T15:00:00Z",
    "subject_identities": [
        {"identity_type": "email", "identity_value": "nobody@example.org", "identity_format": "raw"}
    ],
}


class Asked:
    def __init__(self, folder: Path, client: TestClient, keys: dict[Role, str], log: Path) -> None:
        self.folder, self.client, self.keys, self.log = folder, client, keys, log

    def ask(self, method: str, path: str, role: Role | None = Role.PRIVACY_OFFICER, json: Any = None) -> Any:
        headers = {"authorization": f"Bearer {self.keys[role]}"} if role else {}
        return self.client.request(method, path, headers=headers, json=json)


@pytest.fixture
def asked(tmp_path: Path) -> Iterator[Asked]:
    Authority().equip(tmp_path, "localhost")
    file = KeysFile(tmp_path / "keys.json")
    keys = {role: file.create(role)[1] for role in Role}
    with new_graph() as graph:
        log = tmp_path / "audit.jsonl"
        audit = AuditLog(log, graph.signer)
        agreement = Agreement.read(agreed(tmp_path))
        app = create_app(graph, terms=PATIENT, door=Door(file), audit=audit, opendsr=agreement)
        with TestClient(app, raise_server_exceptions=False) as client:
            yield Asked(tmp_path, client, keys, log)


@pytest.mark.parametrize("prefix", ["/opendsr/v2", "/opendsr", "/v2"])
def test_the_addresses_of_one_thing(asked: Asked, prefix: str) -> None:
    found = asked.ask("GET", f"{prefix}/discovery", None)
    assert found.status_code == 200 and found.json()["processor_certificate"].endswith("/opendsr/v2/certificate.pem")
    assert asked.ask("GET", f"{prefix}/certificate.pem", None).text.startswith("-----BEGIN CERTIFICATE-----")
    assert asked.ask("POST", f"{prefix}/requests", json=REQUEST).status_code == 201
    for path in (f"requests/{ID}", f"status/{ID}", f"opengdpr_requests/{ID}"):
        assert asked.ask("GET", f"{prefix}/{path}").json()["request_status"] == "pending"
    assert asked.ask("GET", f"{prefix}/requests2").status_code == 404
    named = asked.client.get("/metrics", headers={"authorization": f"Bearer {asked.keys[Role.ADMIN]}"}).text
    assert 'operation="opendsr"' in named and 'operation="other",status="200"' not in named
    assert 'identity_graph_opendsr_failing{of="callbacks"} 0.0' in named


@pytest.mark.parametrize("path", ["/opengdpr_requests", "/v1/opengdpr_requests", "/opencompliance_requests"])
def test_requests_of_opengdpr_knew_no_regulation(asked: Asked, path: str) -> None:
    old = {name: value for name, value in REQUEST.items() if name != "regulation"}
    assert asked.ask("POST", "/opendsr/v2/requests", json=old).status_code == 400
    assert asked.ask("POST", path, json=old).status_code == 201
    assert asked.ask("DELETE", f"{path}/{ID}").status_code == 202


def test_who_may_not_is_told_in_the_same_form_and_on_record(asked: Asked) -> None:
    refused = asked.ask("POST", "/opendsr/v2/requests", Role.ANALYST, REQUEST)
    assert refused.status_code == 403 and refused.json()["error"]["errors"][0]["reason"] == "FORBIDDEN"
    assert refused.headers["x-opendsr-signature"]
    found = asked.ask("GET", f"/opendsr/v2/requests/{ID}", None)
    assert found.status_code == 401 and found.headers["www-authenticate"].startswith("Bearer")
    told = [(one["action"], one["outcome"], one["role"]) for one in entries(asked.log)]
    assert told == [("POST /opendsr/v2/requests", "refused", "analyst")]


def test_a_store_that_fails_is_not_the_controllers_fault(asked: Asked, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise StoreError("STORE_FULL", "/secret/place")

    monkeypatch.setattr("identity_graph.opendsr.desk.Desk.receive", fail)
    found = asked.ask("POST", "/opendsr/v2/requests", json=REQUEST)
    assert found.status_code == 503 and "/secret" not in found.text
    assert found.json()["error"]["errors"][0] == {
        "domain": "Service",
        "reason": "STORE_FULL",
        "message": found.json()["error"]["message"],
    }


def test_what_is_found_stands_in_the_extension_too(asked: Asked) -> None:
    """7.1.2: what fits into the specification does not go into the extension."""

    def sent(type_: str, value: str, **more: Any) -> Any:
        one = {"identity_type": type_, "identity_value": value}
        body = REQUEST | {"extensions": {"localhost": {"identities": [one]}}, **more}
        return asked.ask("POST", "/opendsr/v2/requests", json=body)

    alone = sent("cookie", "c-1", subject_identities=[])
    assert alone.status_code == 201
    wrong = sent("email", "ann@example.org")
    assert wrong.status_code == 400 and wrong.json()["error"]["errors"][0]["reason"] == "IDENTITY_UNSUPPORTED"
    assert "ann" not in wrong.text
    assert sent("phone", "none").status_code == 400
