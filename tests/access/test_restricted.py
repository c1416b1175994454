"""A restricted person: privacy officers see it, and nobody else does, whatever they ask."""

from __future__ import annotations

import json

import pytest

from identity_graph.access import Role
from tests.access.conftest import Guarded
from tests.api.conftest import ANN, email_of

BY = "query ($by: PersonBy!) { person(by: $by) { id journey { totalCount } } }"
EVERYBODY = """{
  persons(first: 100) { totalCount nodes { id segments { name } } } changes(first: 100) { nodes { personId } }
  segments: segment(name: "vip") { size members(first: 10) { nodes { id } } } }"""


@pytest.mark.parametrize("role", [Role.APP_READER, Role.ANALYST, Role.PRIVACY_OFFICER])
def test_who_sees_a_restricted_person(guarded: Guarded, role: Role) -> None:
    id = guarded.open.person_id(ANN)
    officer = role is Role.PRIVACY_OFFICER
    restrict = "mutation ($by: PersonBy!) { restrict(by: $by) { personId } }"
    held = guarded.ask(Role.PRIVACY_OFFICER, restrict, {"by": email_of(ANN)}).json()
    assert held["data"]["restrict"] == {"personId": id}
    try:
        found = guarded.ask(role, BY, {"by": {"id": id}}).json()["data"]["person"]
        assert bool(found) == officer
        if role is not Role.APP_READER:
            everybody = guarded.ask(role, EVERYBODY).json()
            assert "errors" not in everybody, everybody
            assert (id in json.dumps(everybody)) == officer
        preview = "query ($by: PersonBy!) { previewErasure(by: $by) { person { id } events } }"
        seen = guarded.ask(role, preview, {"by": {"id": id}}).json()
        assert ("errors" in seen) != officer and (not officer or seen["data"]["previewErasure"]["person"] == {"id": id})
    finally:
        restore = "mutation ($by: PersonBy!) { unrestrict(by: $by) }"
        assert guarded.ask(Role.PRIVACY_OFFICER, restore, {"by": {"id": id}}).json()["data"]["unrestrict"] is True
    assert guarded.ask(role, BY, {"by": {"id": id}}).json()["data"]["person"]
