"""What plans answer is what graphql-core answers, byte for byte; the rest they leave to it."""

from __future__ import annotations

from collections import Counter
from typing import Any

import anyio
import pytest
from graphql import ExecutionResult, execute
from hypothesis import HealthCheck, given, note, settings

from identity_graph.api.context import Context
from identity_graph.api.documents import Documents, Invalid
from identity_graph.api.encoding import encode
from identity_graph.api.endpoint import EXECUTORS
from identity_graph.api.plan import Plans
from identity_graph.api.quick import Quick
from identity_graph.api.request import GraphQLRequest
from identity_graph.api.schema import graphql_schema
from identity_graph.errors import QueryError
from tests.api.conftest import Api
from tests.api.documents import documents

SCHEMA = graphql_schema()
DOCUMENTS = Documents(SCHEMA)


class Ways:
    """The same request by a plan and by graphql-core."""

    def __init__(self, api: Api) -> None:
        self.graph = api.graph
        self.quick = Quick(api.graph, Plans(SCHEMA))

    def short(self, text: str, variables: dict[str, Any], *, veiled: bool = False) -> dict[str, Any] | None:
        async def body() -> dict[str, Any] | None:
            prepared = await DOCUMENTS.prepare(text)
            return await self.quick.answer(prepared, GraphQLRequest(None, variables, None, None), veiled=veiled)

        return anyio.run(body)

    def general(self, text: str, variables: dict[str, Any], *, veiled: bool = False) -> ExecutionResult:
        prepared = DOCUMENTS.prepare_here(text)

        async def body() -> ExecutionResult:
            result = execute(
                SCHEMA,
                prepared.document,
                context_value=Context(self.graph, prepared.fields, veiled=veiled),
                variable_values=variables,
                executor_class=EXECUTORS[veiled, True],
            )
            return result if isinstance(result, ExecutionResult) else await result

        return anyio.run(body)

    def alike(self, text: str, variables: dict[str, Any], *, veiled: bool) -> bool:
        """Whether there was a plan of it."""
        short = self.short(text, variables, veiled=veiled)
        if short is None:
            return False
        general = self.general(text, variables, veiled=veiled)
        assert not general.errors, general.errors
        assert general.data is not None
        assert encode(short) == encode(general.data)
        return True


@pytest.mark.parametrize("veiled", [False, True])
def test_random_documents_are_answered_alike(api: Api, veiled: bool) -> None:
    ways = Ways(api)
    counted: Counter[bool] = Counter()

    @settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much], deadline=None)
    @given(documents(SCHEMA))
    def every(drawn: tuple[str, dict[str, Any]]) -> None:
        text, variables = drawn
        note(f"{text} {variables}")
        try:
            DOCUMENTS.prepare_here(text)
        except QueryError as error:
            assert error.code == "QUERY_TOO_COMPLEX"
            return
        except Invalid as invalid:
            raise AssertionError(invalid.errors) from None
        counted[ways.alike(text, variables, veiled=veiled)] += 1

    every()
    assert counted[True] > 5, counted
