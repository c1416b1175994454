"""All that a role may or may not do, listed from the program itself."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from graphql import GraphQLInterfaceType, GraphQLObjectType
from starlette.applications import Starlette
from starlette.routing import Mount, Route, WebSocketRoute

from identity_graph import IdentityGraph
from identity_graph.api import create_app
from identity_graph.api.schema import graphql_schema
from identity_graph.api.terms import Terms
from identity_graph.opendsr import Agreement
from tests import readme
from tests.opendsr.authority import Authority
from tests.opendsr.conftest import agreed


def fields() -> list[str]:
    """Type.field, with the two by which a client asks for the schema."""
    return ["Query.__schema", "Query.__type"] + [
        f"{type_.name}.{field}"
        for type_ in graphql_schema().type_map.values()
        if isinstance(type_, GraphQLObjectType | GraphQLInterfaceType) and not type_.name.startswith("__")
        for field in type_.fields
    ]


def routes() -> list[str]:
    with IdentityGraph.open("sqlite:///:memory:") as graph, agreement() as agreed:
        return routes_of(create_app(graph, terms=Terms(origins=("https://example.org",)), opendsr=agreed))


@contextmanager
def agreement() -> Iterator[Agreement]:
    """With controllers, so that there are all routes."""
    with TemporaryDirectory() as folder:
        Authority().equip(Path(folder), "localhost")
        yield Agreement.read(agreed(Path(folder)))


def routes_of(app: Starlette) -> list[str]:
    """HEAD is GET without its body, and OPTIONS asks for nothing."""
    found = []
    for route in app.routes:
        if isinstance(route, Mount | WebSocketRoute):  # a handshake is a GET
            found.append(f"GET {route.path}")
        else:
            assert isinstance(route, Route) and route.methods
            found += [f"{method} {route.path}" for method in sorted(route.methods - {"HEAD", "OPTIONS"})]
    return found


def verbs() -> list[str]:
    return [name for name, _ in readme.verbs()]
