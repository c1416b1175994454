"""One GraphQL request, from its text to its answer, with or without HTTP around it."""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from collections.abc import Awaitable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from graphql import ExecutionResult, execute

from identity_graph import deadline
from identity_graph.access import Caller, Door, Role
from identity_graph.api.context import Context
from identity_graph.api.documents import Documents, Invalid, Prepared
from identity_graph.api.executor import ClosedExecutor, LeanExecutor
from identity_graph.api.masking import show, show_all
from identity_graph.api.persisted import Persisted, read_trusted
from identity_graph.api.request import GraphQLRequest, from_mapping
from identity_graph.api.schema import graphql_schema
from identity_graph.api.terms import Terms
from identity_graph.api.veil import ClosedVeilingExecutor, VeilingExecutor
from identity_graph.errors import QueryError

if TYPE_CHECKING:
    from identity_graph.service import IdentityGraph

log = logging.getLogger("identity_graph.api")

GRACE = 0.1  # seconds in which the store may still say by itself, and where in the answer, that the deadline has passed


_EXECUTORS = {
    (False, True): LeanExecutor,
    (False, False): ClosedExecutor,
    (True, True): VeilingExecutor,
    (True, False): ClosedVeilingExecutor,
}
"""By whether names are veiled, and whether the schema is shown."""


class Answer(NamedTuple):
    """`refused`: the request failed as a whole, before anything was run; `body` has then no `data`."""

    body: Mapping[str, Any]
    refused: bool = False
    mutates: bool = False


class Endpoint:
    def __init__(self, graph: IdentityGraph, terms: Terms, door: Door | None = None) -> None:
        self._graph = graph
        self._door = door
        self._terms = terms
        self._schema = graphql_schema()
        self._documents = Documents(self._schema, introspection=terms.introspection)
        trusted = read_trusted(terms.trusted, self._documents.prepare_here) if terms.trusted else {}
        self._persisted = Persisted(trusted, only=terms.trusted_only)

    async def answer(
        self,
        request: GraphQLRequest,
        *,
        caller: Caller | None = None,
        read_only: bool = False,
        request_id: str = "",
    ) -> Answer:
        """Never raises. With `read_only` a mutation is refused and the answer says that it would have mutated. Where
        there is a door, nothing is answered without a caller."""
        request_id = request_id or new_request_id()
        started = time.perf_counter()
        try:
            answer = await self._answer(request, caller, read_only, request_id)
        except Invalid as invalid:
            answer = Answer({"errors": show_all(invalid.errors, request_id)}, refused=True)
        except Exception as error:
            answer = Answer({"errors": [show(error, request_id)]}, refused=True)
        if log.isEnabledFor(logging.INFO):
            codes = [error["extensions"]["code"] for error in answer.body.get("errors", ())]
            took = (time.perf_counter() - started) * 1000
            log.info("request %s: %.1f ms %s", request_id, took, " ".join(codes) or "ok")
        return answer

    async def _answer(self, request: GraphQLRequest, caller: Caller | None, read_only: bool, request_id: str) -> Answer:
        prepared = await self._documents.prepare(self._persisted.text(request))
        if self._door:
            self._door.check_fields(prepared.places, caller)
        self._persisted.keep(request)
        mutates = prepared.mutates(request.operation_name)
        if mutates and read_only:
            error = QueryError("METHOD_REFUSED", "a mutation is sent by POST", help="Send the same request by POST.")
            return Answer({"errors": [show(error, request_id)]}, refused=True, mutates=True)
        if mutates:
            with deadline.within(self._terms.mutation_deadline):
                result = await self._run(prepared, request, caller)
        else:
            result = await self._run_in_time(prepared, request, caller)
        if not result.errors:
            return Answer({"data": result.data}, mutates=mutates)
        errors = show_all(result.errors, request_id)
        if result.data is None and all(error.path is None for error in result.errors):
            return Answer({"errors": errors}, refused=True, mutates=mutates)
        return Answer({"data": result.data, "errors": errors}, mutates=mutates)

    async def _run_in_time(self, prepared: Prepared, request: GraphQLRequest, caller: Caller | None) -> ExecutionResult:
        """Nobody waits for a thread that computes. Of a mutation that would leave open whether it was done."""
        seconds = self._terms.deadline
        try:
            with deadline.within(seconds):
                async with asyncio.timeout(None if seconds is None else seconds + GRACE):
                    return await self._run(prepared, request, caller)
        except TimeoutError:
            raise deadline.too_late() from None

    async def _run(self, prepared: Prepared, request: GraphQLRequest, caller: Caller | None) -> ExecutionResult:
        veiled = caller is not None and caller.role is Role.ANALYST
        result = execute(
            self._schema,
            prepared.document,
            context_value=Context(self._graph, prepared.fields, veiled=veiled),
            variable_values=dict(request.variables),
            operation_name=request.operation_name,
            max_coercion_errors=10,
            hide_suggestions=True,
            executor_class=_EXECUTORS[veiled, self._terms.introspection],
        )
        return await result if isinstance(result, Awaitable) else result


def new_request_id() -> str:
    return uuid.uuid4().hex[:16]


async def answer_once(
    graph: IdentityGraph, found: Mapping[str, Any], door: Door | None, caller: Caller | None
) -> Mapping[str, Any]:
    try:
        request = from_mapping(found)
    except QueryError as error:
        return {"errors": [show(error, new_request_id())]}
    endpoint = Endpoint(graph, Terms(deadline=None, mutation_deadline=None), door)
    return (await endpoint.answer(request, caller=caller)).body
