"""The small world of the API's tests, behind a door, with a key for each role."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from starlette.testclient import TestClient

from identity_graph import IdentityGraph
from identity_graph.access import Door, Role
from identity_graph.access.keys import KeysFile
from identity_graph.api import create_app
from identity_graph.api.terms import Terms
from tests.access.listed import agreement
from tests.api.conftest import PATIENT, Api, peopled
from tests.conftest import Clock


@dataclass
class Guarded:
    """The application behind a door; `keys` are the texts by role."""

    open: Api
    file: KeysFile
    keys: dict[Role, str]
    client: TestClient

    def ask(self, role: Role | None, query: str, variables: dict[str, Any] | None = None, **more: Any) -> Any:
        return self.client.post(
            "/graphql", json={"query": query, "variables": variables or {}, **more}, headers=self.headers(role)
        )

    def headers(self, role: Role | None) -> dict[str, str]:
        return {} if role is None else {"authorization": f"Bearer {self.keys[role]}"}


def guarded_by(open_: Api, file: KeysFile, terms: Terms = PATIENT) -> Guarded:
    keys = {role: file.create(role, f"for {role}")[1] for role in Role}
    with agreement() as agreed:
        app = create_app(open_.graph, terms=terms, door=Door(file), opendsr=agreed)
    return Guarded(open_, file, keys, TestClient(app, raise_server_exceptions=False))


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    folder = tmp_path_factory.mktemp("guarded")
    clock = Clock()
    with IdentityGraph.open(f"sqlite:///{folder / 'people.db'}", clock=clock) as graph:
        world = peopled(Api(graph, TestClient(create_app(graph, terms=PATIENT))), clock)
        yield guarded_by(world, KeysFile(folder / "keys.json"))
