"""A subgraph of Apollo Federation 2."""

from __future__ import annotations

from typing import Any

import pytest
from graphql import parse

from tests.api.conftest import ANN, BOB, CAROL, Api
from tests.api.test_statements import crowded, statements

ENTITIES = """query ($representations: [_Any!]!) {
  _entities(representations: $representations) { __typename ... on Person { id key confidence profile { values } } }
}"""


def person(**key: Any) -> dict[str, Any]:
    return {"__typename": "Person"} | key


def ids(data: dict[str, Any]) -> list[str | None]:
    return [entity and entity["id"] for entity in data["_entities"]]


def test_persons_are_found_by_id_and_by_identifier_in_order(each_store: None, api: Api) -> None:
    ann, (retired, carol) = api.person_id(ANN), next(iter(api.retired.items()))
    asked = [
        person(key=f"email:{ANN.upper()}"),
        person(id="nobody"),
        person(id=ann),
        person(id=retired),
        person(key="email:nobody@example.org"),
        person(key="loyalty_id:L-77"),
        person(id=ann, key="email:ignored@example.org"),
    ]
    data = api.ask(ENTITIES, {"representations": asked})
    assert ids(data) == [ann, None, ann, carol, None, carol, ann]
    assert data["_entities"][0]["__typename"] == "Person"
    assert data["_entities"][0]["profile"]["values"]["plan"] == "pro"


def test_the_key_of_a_person_finds_it(api: Api) -> None:
    for email in (ANN, BOB, CAROL):
        (found,) = api.ask(ENTITIES, {"representations": [person(key=f"email:{email}")]})["_entities"]
        assert ids(api.ask(ENTITIES, {"representations": [person(key=found["key"])]})) == [found["id"]]


def test_a_hundred_cost_as_many_statements_as_one(each_store: None, empty: Api) -> None:
    crowded(empty, 100)
    asked = [person(key=f"email:p{n}@example.org") for n in range(100)]
    one, _ = statements(empty, ENTITIES, {"representations": asked[:1]})
    many, data = statements(empty, ENTITIES, {"representations": asked})
    assert None not in ids(data) and len(set(ids(data))) == 100
    assert len(many) == len(one)


@pytest.mark.parametrize(
    ("representation", "code"),
    [
        ({}, "KEY_INVALID"),
        ([], "KEY_INVALID"),
        ("Person", "KEY_INVALID"),
        ({"__typename": "Person"}, "KEY_INVALID"),
        ({"__typename": "Segment", "id": "vip"}, "KEY_INVALID"),
        ({"id": "nobody"}, "KEY_INVALID"),
        (person(id=1), "KEY_INVALID"),
        (person(key="no colon"), "KEY_INVALID"),
        (person(key="email:no address"), "EMAIL_NO_AT"),
        (person(key=["email:a@example.org"]), "KEY_INVALID"),
    ],
)
def test_what_is_no_representation_is_an_error_in_its_place(api: Api, representation: Any, code: str) -> None:
    answer = api.post(ENTITIES, {"representations": [person(key=f"email:{ANN}"), representation]})
    assert ids(answer["data"]) == [api.person_id(ANN), None]
    (error,) = answer["errors"]
    assert (error["path"], error["extensions"]["code"]) == (["_entities", 1], code)


def test_more_than_a_hundred_are_refused(empty: Api) -> None:
    assert empty.refusal(ENTITIES, {"representations": [person(id="x")] * 101}) == "BATCH_TOO_LARGE"


def test_the_subgraph_says_by_what_persons_are_known(empty: Api) -> None:
    sdl = empty.ask("{ _service { sdl } }")["_service"]["sdl"]
    assert sdl.startswith('extend schema @link(url: "https://specs.apollo.dev/federation/v2.')
    assert 'type Person implements Node @key(fields: "id") @key(fields: "key") {' in sdl
    parse(sdl)
