"""`roles.toml` names all that there is, and nothing else."""

from __future__ import annotations

import tomllib

import pytest

from identity_graph.access.rules import FILE, AccessRules, Role
from identity_graph.api.documents import Documents
from identity_graph.api.schema import graphql_schema
from identity_graph.errors import AccessError
from tests.access import listed
from tests.api.conftest import OPERATIONS, operation_text

RULES = AccessRules.shipped()


def test_every_field_is_named() -> None:
    assert sorted(set(listed.fields()) - RULES.fields.keys()) == [], "say in access/roles.toml who may ask for it"
    assert sorted(RULES.fields.keys() - set(listed.fields())) == [], "these are no more"


@pytest.mark.parametrize("name", OPERATIONS)
def test_a_shipped_operation_is_whole_for_somebody(name: str) -> None:
    """Who may ask for what it begins with may ask for all of it."""
    asked = Documents(graphql_schema()).prepare_here(operation_text(name)).places
    assert [role for role in Role if asked <= RULES.fields_of(role)] != []


def test_every_route_is_named() -> None:
    there = set(listed.routes()) | {"GET /graphiql"}  # which only some packages have
    assert sorted(there - RULES.routes.keys()) == [], "say in access/roles.toml who may ask for it"
    assert sorted(RULES.routes.keys() - there) == [], "these are no more"


def test_every_verb_is_named() -> None:
    assert sorted(set(listed.verbs()) - RULES.verbs.keys()) == [], "say in access/roles.toml who may type it"
    assert sorted(RULES.verbs.keys() - set(listed.verbs())) == [], "these are no more"


def test_what_is_not_named_is_nobodys() -> None:
    for role in (*Role, None):
        assert not RULES.allows(RULES.fields, "Person.new", role)
        assert not RULES.allows(RULES.routes, "DELETE /graphql", role)
        assert not RULES.allows(RULES.verbs, "new", role)


@pytest.mark.parametrize("role", [Role.INGEST, Role.ADMIN, Role.AUDITOR])
def test_who_reads_no_person(role: Role) -> None:
    of_persons = ("Person.", "Identifier.", "Profile.", "Trait.", "Statement.", "Event.", "Link.", "Session.")
    assert [field for field in RULES.fields_of(role) if field.startswith(of_persons)] == []
    assert not RULES.allows(RULES.fields, "QuarantinedRecord.record", role)


def test_what_only_one_role_may() -> None:
    assert RULES.fields["Mutation.erase"] == {Role.PRIVACY_OFFICER}
    assert RULES.fields["Mutation.ingest"] == {Role.INGEST}
    assert RULES.verbs["key create"] == {Role.ADMIN}
    assert RULES.fields["Query.__schema"] == {Role.ADMIN}


def test_the_file_says_each_thing_once() -> None:
    """So that whoever reads an entry knows all of who may."""
    tables = tomllib.loads(FILE.read_text(encoding="utf-8"))
    for table in (*tables["fields"].values(), tables["routes"], tables["verbs"]):
        for audience, names in table.items():
            assert len(names) == len(set(names)), audience


def test_a_role_that_does_not_exist() -> None:
    with pytest.raises(AccessError) as raised:
        Role.named("root")
    assert raised.value.code == "ROLE_UNKNOWN" and "analyst" in raised.value.help
