"""The ids in 1,434 real messages that mean nobody, by a list that was made by reading all of their ids and by one that
others made: each is reported with its reason, and joins nobody."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator

import pytest

from identity_graph import IdentityGraph
from identity_graph.loaders import read_loader
from identity_graph.model import Identifier, IdentifierFacts
from tests.story.test_real_data import LOADERS, data
from tests.story.worlds import new_graph

# Names of fields, placeholders, rulers, telephone numbers of one digit. Not among them is what is numbered or otherwise
# may be somebody's (userId12345, anon-id-new, abc@gmail.com): limits and hub caps bound what those join.
NOBODY = """
user_id:default-user-id        user_id:default-userId          user_id:my-user-id          user_id:sample_user_id
user_id:test_user_id           user_id:test                    user_id:identified user id
user_id:XxXxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxx
anonymous_id:anonId            anonymous_id:anon_id            anonymous_id:dummyAnonId
anonymous_id:test_anonymous_id                                 anonymous_id:default-anonymousId
anonymous_id:00000000000000000000000000
device_id:id                   advertising_id:dummyAdvertisingId
email:abc                      email:abc123                    email:test@example.com      email:user@example.com
email:sample@sample.com        email:name@domain.com
phone:1234567890               phone:9999999999                phone:+12345678900          phone:+919999999999
phone:+919299999999            phone:+919399999999             phone:+919499999999         phone:+919599999999
"""
# These look like anybody's: what they were seen with gives them away.
TOO_MANY = {
    "email:test@rudderstack.com",
    "phone:+919876543210",
    "anonymous_id:e6ab2c5e-2cda-44a9-a962-e2f67df78bca",
}


@pytest.fixture(scope="module")
def graph() -> Iterator[IdentityGraph]:
    file = data("rudder_events/events_dev.ndjson")
    with new_graph() as graph:
        graph.ingest.load(read_loader(LOADERS / "rudder.toml"), file, time=0)
        graph.resolver.resolve()
        yield graph


def facts(graph: IdentityGraph) -> list[IdentifierFacts]:
    table, values = graph.store.evidence.identifier_table()
    keys = [Identifier(table.namespaces[n], value) for n, value in zip(table.namespace.tolist(), values, strict=True)]
    return [found for found in graph.people.identifiers(keys) if found]


def pruned(graph: IdentityGraph, code: str) -> set[str]:
    return {one.identifier.key for one in facts(graph) if one.pruned and one.pruned.code == code}


def test_every_junk_id_is_reported_and_nothing_else(graph: IdentityGraph) -> None:
    nobody = set(re.split(r"\s{2,}|\n", NOBODY.strip()))
    assert pruned(graph, "BLOCKED") == nobody
    assert pruned(graph, "HUB") == TOO_MANY
    for one in facts(graph):
        if one.pruned:
            assert one.person_id is None
            assert one.identifier.namespace == "ip" or one.identifier.key in one.pruned.message


def test_what_other_tools_take_for_nobody_is_reported(graph: IdentityGraph) -> None:
    with data("normalisation/bad_values/bad_values_dev.csv").open(encoding="utf-8", newline="") as file:
        bad = list(csv.DictReader(file))
    words = {row["value"].casefold() for row in bad if "exact" in row["match"]}
    forms = [re.compile(row["value"]) for row in bad if row["match"] == "regex"]
    assert words and forms
    hit = [
        one
        for one in facts(graph)
        if one.identifier.value.casefold() in words or any(form.fullmatch(one.identifier.value) for form in forms)
    ]
    assert {one.identifier.key for one in hit} >= {"device_id:id", "email:abc123"}
    assert all(one.pruned for one in hit)


def test_no_person_is_over_the_cap_for_all_the_junk(graph: IdentityGraph) -> None:
    """Nor anywhere near: the largest holds what the messages state by alias, and no more than a person could have."""
    people = graph.people.memberships().group_by("person_id").len()
    sizes = people["len"].to_list()
    assert max(sizes) <= graph.policy.max_identifiers
    assert max(sizes) == 27 and sorted(sizes)[-2] == 15
