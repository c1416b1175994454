"""Every role against every field, mutation, route and verb, listed from the program, asked of the program itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import typer

from identity_graph.access import AccessRules, Role
from identity_graph.access.keys import KeysFile
from identity_graph.audit import entries
from identity_graph.cli import app as program
from tests import readme
from tests.access import listed
from tests.access.conftest import Guarded
from tests.access.documents import document
from tests.cli.calling import RUNNER

RULES = AccessRules.shipped()
REFUSED = {"UNAUTHENTICATED", "FORBIDDEN"}


def codes(answer: Any) -> set[str]:
    return {error["extensions"]["code"] for error in answer.json().get("errors", ())}


@pytest.mark.parametrize("role", Role)
def test_fields(guarded: Guarded, role: Role) -> None:
    may = RULES.fields_of(role)
    asked = 0
    for field in listed.fields():
        text, reached = document(field, may)
        answer = guarded.ask(role, text)
        if field in may and reached:
            assert answer.status_code == 200 and not codes(answer) & REFUSED, (field, text, answer.text)
        else:
            assert answer.status_code == 403 and codes(answer) == {"FORBIDDEN"}, (field, text, answer.text)
            assert not reached or f"{field} is" in answer.json()["errors"][0]["message"], (field, text, answer.text)
        asked += 1
    assert asked > 150


def test_fields_without_a_key(guarded: Guarded) -> None:
    for field in listed.fields():
        answer = guarded.ask(None, document(field, frozenset())[0])
        assert answer.status_code == 401 and codes(answer) == {"UNAUTHENTICATED"}, field


@pytest.mark.parametrize("role", [*Role, None])
def test_routes(guarded: Guarded, role: Role | None) -> None:
    for route in listed.routes():
        method, path = route.split(" ")
        body = {"query": "{ __typename }"} if path == "/graphql" else {"type": "track", "userId": "u", "event": "e"}
        if route == "GET /graphql":
            path += "?query={__typename}"
        if path.startswith("/v1/") and role is None:
            path += "?writeKey=any"
        sent = body if method == "POST" else None
        status = guarded.client.request(method, path, headers=guarded.headers(role), json=sent).status_code
        if RULES.allows(RULES.routes, route, role):
            assert status not in (401, 403), (route, status)
        else:
            assert status == (401 if role is None else 403), (route, status)


# What a verb is given where a word for each argument is not enough, or would be too much.
GIVEN = {
    "serve": ["--trusted-only"],  # which is refused, before it serves
    "demo": ["--people", "10", "--keep", "made.db"],
    "world": ["made", "--people", "1"],
    "link": ["a:b", "c:d", "--reason", "r"],
    "unlink": ["a:b", "c:d", "--reason", "r"],
    "export": ["made", "--format", "neo4j-import"],
    "key create": ["--role", "none"],
    "opendsr decide": ["x", "--shared", "detach"],
    "key rotate": ["none", "--overlap", "1s"],
}


def typed(name: str, command: Any) -> list[str]:
    words = name.split()
    if name in GIVEN:
        return [*words, *GIVEN[name]]
    for parameter in command.params:
        if parameter.required and parameter.param_type_name == "argument":
            words.append("1" if command.name == "show" else "x:y")
        elif parameter.required:
            words += [parameter.opts[0], "x"]
    return words


@pytest.mark.parametrize("role", [*Role, None])
def test_verbs(role: Role | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    file = KeysFile(tmp_path / "keys.json")
    keys = {one: file.create(one)[1] for one in Role}
    monkeypatch.setenv("IDENTITY_GRAPH_KEYS", str(file.path))
    if role:
        monkeypatch.setenv("IDENTITY_GRAPH_KEY", keys[role])
    for name, command in readme.verbs(typer.main.get_command(program)):
        result = RUNNER.invoke(program, typed(name, command), input="{ __typename }")
        if RULES.allows(RULES.verbs, name, role):
            assert not any(code in result.stderr for code in REFUSED), (name, result.stderr)
        else:
            wanted = "UNAUTHENTICATED" if role is None else "FORBIDDEN"
            assert result.exit_code == 10 and result.stderr.startswith(wanted), (name, result.stderr)
    log = tmp_path / "audit.jsonl"
    recorded = {(entry["action"], entry["outcome"] == "refused") for entry in entries(log)} if role else set()
    privileged = {name for name in RULES.verbs if RULES.privileged(RULES.verbs, name)}
    may = {(name, not RULES.allows(RULES.verbs, name, role)) for name in privileged}
    assert {found for found in recorded if "." not in found[0]} == (may if role else set())
    assert log.exists() == bool(role)
