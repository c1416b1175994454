"""Every operation of the schema, with what Schemathesis makes up for it: 2,000 requests, and each night 100,000."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import given
from hypothesis import strategies as st
from schemathesis.graphql import nodes
from starlette.testclient import TestClient

from identity_graph import IdentityGraph
from identity_graph.api import create_app
from identity_graph.files import data_folder
from tests.api.conftest import EVENTS, PATIENT, Api
from tests.api.test_hostile import check
from tests.conftest import law

EXAMPLES = 2_000

TEXTS = {
    "DateTime": ["2026-01-02T03:04:05Z", "0001-01-01", "9999-12-31T23:59:59+14:00", "yesterday", ""],
    "Duration": ["P3D", "PT30M", "P1M", "-P1D", "P", ""],
}
for name, values in TEXTS.items():
    schemathesis.graphql.scalar(name, st.sampled_from(values).map(nodes.String))
LEAVES: st.SearchStrategy[Any] = st.one_of(
    st.integers().map(nodes.Int),
    st.floats(allow_nan=False, allow_infinity=False).map(nodes.Float),
    st.booleans().map(nodes.Boolean),
    st.text(max_size=5).map(nodes.String),
)
for name in ("JSON", "_Any"):
    schemathesis.graphql.scalar(name, LEAVES | st.lists(LEAVES, max_size=3).map(nodes.List))

SCHEMA: Any = schemathesis.graphql.from_path(data_folder("graphql") / "schema.graphql")
OPERATIONS = [found.ok() for found in SCHEMA.get_all_operations()]


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    path: Path = tmp_path_factory.mktemp("schemathesis") / "people.db"
    with IdentityGraph.open(f"sqlite:///{path}") as graph, TestClient(create_app(graph, terms=PATIENT)) as client:
        api = Api(graph, client)
        api.run("ingest", events=EVENTS)
        api.run("resolve")
        yield client


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: str(operation.label))
@law(-(-EXAMPLES // len(OPERATIONS)))
@given(data=st.data())
def test_nothing_made_up_from_the_schema_is_a_defect(client: TestClient, operation: Any, data: st.DataObject) -> None:
    """No 5xx, no traceback, no code that is not of the project."""
    case = data.draw(operation.as_strategy())
    check(client.post("/graphql", json={"query": case.body}))
