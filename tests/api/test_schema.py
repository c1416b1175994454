"""The served schema is the one that is written down, and sound."""

from __future__ import annotations

import subprocess
import sys

from graphql import build_schema, get_introspection_query, is_input_object_type, validate_schema

from identity_graph.api import sdl
from identity_graph.api.schema import graphql_schema
from identity_graph.files import data_folder
from tests.api.conftest import Api


def test_the_snapshot_is_the_schema() -> None:
    written = (data_folder("graphql") / "schema.graphql").read_text(encoding="utf-8")
    assert written == sdl(), "write it anew: python -m identity_graph.api.schema > graphql/schema.graphql"
    assert validate_schema(build_schema(written)) == []


def test_the_module_prints_it() -> None:
    printed = subprocess.run(
        [sys.executable, "-W", "error", "-m", "identity_graph.api.schema"], capture_output=True, text=True, check=True
    )
    assert printed.stdout == sdl()


def test_introspection_passes_the_checks_and_knows_one_of(api: Api) -> None:
    found = api.ask(get_introspection_query(input_value_deprecation=True))["__schema"]
    types = {type_["name"]: type_ for type_ in found["types"]}
    assert {field["name"] for field in types["Person"]["fields"]} >= {"profile", "journey", "links", "segments"}
    one_of = api.ask('{ person: __type(name: "PersonBy") { isOneOf } run: __type(name: "EventInput") { isOneOf } }')
    assert one_of == {"person": {"isOneOf": True}, "run": {"isOneOf": False}}


def test_every_type_of_an_answer_is_described() -> None:
    said_by_their_names = ("Query", "Mutation", "Subscription", "PageInfo", "Connection", "Edge", "Kind", "State")
    for name, type_ in graphql_schema().type_map.items():
        if not name.startswith("__") and not name.endswith(said_by_their_names) and not is_input_object_type(type_):
            assert type_.description, name
