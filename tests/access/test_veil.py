"""What an analyst sees: everything but who it is."""

from __future__ import annotations

import json
from typing import Any

from identity_graph.access import AccessRules, Role
from tests.access import listed
from tests.access.conftest import Guarded
from tests.access.documents import document
from tests.api.conftest import ANN, BOB, CAROL, email_of

PERSONS = """{ persons { nodes {
  id key identifiers { identifier { key namespace value pruned { code values } } }
  profile { values traits { name value alternatives { value } } }
  journey { nodes { name identifiers { key value } attributedBy { key } traits properties } }
  links(includeSuppressed: true) { weight a { key } b { v: value } suppressed { values } evidence { nodes { traits } } }
} } }"""
NAMES = (ANN, BOB, CAROL, "example.org", "442079460958", "x1", "tablet", "L77", "Anne", "Bob", "pro")


def persons(guarded: Guarded, role: Role | None) -> Any:
    if role is None:
        return guarded.open.ask(PERSONS)["persons"]["nodes"]
    answer = guarded.ask(role, PERSONS).json()
    assert "errors" not in answer, answer
    return answer["data"]["persons"]["nodes"]


def test_nobody_is_named(guarded: Guarded) -> None:
    raw, veiled = (json.dumps(persons(guarded, role)) for role in (Role.PRIVACY_OFFICER, Role.ANALYST))
    for name in NAMES:
        assert f'{name}"' in raw, "the test would see it"
        assert f'{name}"' not in veiled and f":{name}" not in veiled, name
    assert "@" in raw and "@" not in veiled


def test_the_graph_is_the_same_one(guarded: Guarded) -> None:
    """Equal values are equal, different ones differ, wherever they are shown."""
    names: dict[str, str] = {}
    for raw, veiled in zip(persons(guarded, None), persons(guarded, Role.ANALYST), strict=True):
        assert raw["id"] == veiled["id"] and len(raw["links"]) == len(veiled["links"])
        for one, other in zip(raw["identifiers"], veiled["identifiers"], strict=True):
            a, b = one["identifier"], other["identifier"]
            assert b["key"] == f"{b['namespace']}:{b['value']}" and a["namespace"] == b["namespace"]
            assert names.setdefault(a["key"], b["key"]) == b["key"]
        for one, other in zip(raw["links"], veiled["links"], strict=True):
            assert names.get(one["a"]["key"], other["a"]["key"]) == other["a"]["key"]
    assert len(set(names.values())) == len(names) > 8


def test_who_sees_no_names_cannot_look_for_them(guarded: Guarded) -> None:
    for person in (email_of(ANN), email_of("nobody@example.org")):
        answer = guarded.ask(Role.ANALYST, "query ($by: PersonBy!) { person(by: $by) { id } }", {"by": person}).json()
        (error,) = answer["errors"]
        assert error["extensions"]["code"] == "FORBIDDEN" and answer["data"] == {"person": None}
    by = {"id": guarded.open.person_id(ANN)}
    found = guarded.ask(Role.ANALYST, "query ($by: PersonBy!) { person(by: $by) { id } }", {"by": by}).json()
    assert found["data"]["person"] == by
    listing = "query ($tree: ConditionInput) { persons(condition: $tree, orderBy: SIZE) { totalCount } }"
    named = {"trait": {"name": "first_name", "is": {"prefix": "A"}}}
    answer = guarded.ask(Role.ANALYST, listing, {"tree": named}).json()
    assert [error["extensions"]["code"] for error in answer["errors"]] == ["FORBIDDEN"]
    for role, tree, count in ((Role.ANALYST, None, 4), (Role.PRIVACY_OFFICER, named, 1)):
        found = guarded.ask(role, listing, {"tree": tree}).json()
        assert found["data"]["persons"]["totalCount"] == count


def test_no_field_that_an_analyst_may_ask_for_names_anybody(guarded: Guarded) -> None:
    """Also those that come later: each by itself, of every person."""
    may = AccessRules.shipped().fields_of(Role.ANALYST)
    for field in listed.fields():
        text, reached = document(field, may)
        if field in may and reached:
            answer = guarded.ask(Role.ANALYST, text).text
            assert not [name for name in (ANN, BOB, CAROL) if name in answer], field
