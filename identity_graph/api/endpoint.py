"""One GraphQL request, from its text to its answer, with or without HTTP around it."""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, NamedTuple

from graphql import ExecutionResult, create_source_event_stream, execute

from identity_graph import deadline
from identity_graph.access import AccessRules, Caller, Door, Role
from identity_graph.api.context import Context
from identity_graph.api.documents import Documents, Invalid, Prepared
from identity_graph.api.executor import ClosedExecutor, LeanExecutor
from identity_graph.api.feed import Feed
from identity_graph.api.masking import show, show_all
from identity_graph.api.persisted import Persisted, read_trusted
from identity_graph.api.plan import Plans
from identity_graph.api.quick import Quick
from identity_graph.api.recording import recorded
from identity_graph.api.request import GraphQLRequest, from_mapping
from identity_graph.api.schema import graphql_schema
from identity_graph.api.terms import Terms
from identity_graph.api.veil import ClosedVeilingExecutor, VeilingExecutor
from identity_graph.audit import AuditLog, Ending
from identity_graph.errors import AccessError, QueryError

if TYPE_CHECKING:
    from identity_graph.service import IdentityGraph

log = logging.getLogger("identity_graph.api")

GRACE = 0.1  # seconds in which the store may still say by itself, and where in the answer, that the deadline has passed


EXECUTORS = {
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
    def __init__(
        self, graph: IdentityGraph, terms: Terms, door: Door | None = None, audit: AuditLog | None = None
    ) -> None:
        self._graph = graph
        self._door = door
        self._audit = audit
        self._terms = terms
        self._schema = graphql_schema()
        self._documents = Documents(self._schema, introspection=terms.introspection)
        trusted = read_trusted(terms.trusted, self._documents.prepare_here) if terms.trusted else {}
        self._persisted = Persisted(trusted, only=terms.trusted_only)
        self._feed = Feed(graph.visible)
        self._quick = Quick(graph, Plans(self._schema))

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
        prepared = await self._prepare(request, caller)
        if prepared.subscribes(request.operation_name):
            raise QueryError("STREAM_REQUIRED", "a subscription has more answers than one")
        mutates = prepared.mutates(request.operation_name)
        if mutates and read_only:
            error = QueryError("METHOD_REFUSED", "a mutation is sent by POST", help="Send the same request by POST.")
            return Answer({"errors": [show(error, request_id)]}, refused=True, mutates=True)
        action = AccessRules.shipped().privileged_of(prepared.places) if self._audit else ""
        async with recorded(self._audit, caller, action) as ending:
            if mutates:
                with deadline.within(self._terms.mutation_deadline):
                    result = await self._run(prepared, request, caller, ending=ending)
            else:
                result = await self._run_in_time(prepared, request, caller)
            answer = _shown(result, request_id, mutates)
            if errors := answer.body.get("errors"):
                ending.outcome = f"failed: {errors[0]['extensions']['code']}"
        return answer

    async def stream(
        self,
        request: GraphQLRequest,
        *,
        caller: Caller | None = None,
        still: Callable[[], Awaitable[object]] | None = None,
        read_only: bool = False,
        request_id: str = "",
    ) -> AsyncGenerator[Answer, None]:
        """Never raises. Of a subscription an answer for each event, one that is `refused` being the last; of anything
        else the one answer. `still` is asked before each event and raises where the caller may not go on."""
        request_id = request_id or new_request_id()
        try:
            prepared = await self._prepare(request, caller)
            if not prepared.subscribes(request.operation_name):
                yield await self.answer(request, caller=caller, read_only=read_only, request_id=request_id)
                return
            async with aclosing(self._events(prepared, request, caller)) as events:
                async for event in events:
                    if still is not None:
                        await still()
                    yield _shown(await self._run_in_time(prepared, request, caller, event), request_id)
        except Invalid as invalid:
            yield Answer({"errors": show_all(invalid.errors, request_id)}, refused=True)
        except Exception as error:
            yield Answer({"errors": [show(error, request_id)]}, refused=True)

    async def _events(
        self, prepared: Prepared, request: GraphQLRequest, caller: Caller | None
    ) -> AsyncGenerator[Any, None]:
        """What a subscription tells of; each is then run as if it were a query of it, with a context of its own: what
        was read for the one before may be out of date."""
        executor = self._executor(caller).build(
            self._schema,
            prepared.document,
            context_value=Context(
                self._graph, prepared.fields, self._feed, veiled=_veiled(caller), restricted=_restricted(caller)
            ),
            raw_variable_values=dict(request.variables),
            operation_name=request.operation_name,
            max_coercion_errors=10,
            hide_suggestions=True,
        )
        if isinstance(executor, list):
            raise Invalid(executor)
        source = create_source_event_stream(executor)
        found = await source if isinstance(source, Awaitable) else source
        if isinstance(found, ExecutionResult):
            raise Invalid(found.errors or [])
        assert isinstance(found, AsyncGenerator), "as resolvers of subscriptions are"
        async with aclosing(found) as events:
            async for event in events:
                yield event

    async def _prepare(self, request: GraphQLRequest, caller: Caller | None) -> Prepared:
        prepared = await self._documents.prepare(self._persisted.text(request))
        if self._door:
            try:
                self._door.check_fields(prepared.places, caller)
            except AccessError:
                action = AccessRules.shipped().privileged_of(prepared.places)
                if self._audit and caller and action:
                    await asyncio.to_thread(self._audit.refused, caller, action)
                raise
        self._persisted.keep(request)
        return prepared

    async def _run_in_time(
        self, prepared: Prepared, request: GraphQLRequest, caller: Caller | None, event: Any = None
    ) -> ExecutionResult:
        """Nobody waits for a thread that computes. Of a mutation that would leave open whether it was done."""
        seconds = self._terms.deadline
        try:
            with deadline.within(seconds):
                async with asyncio.timeout(None if seconds is None else seconds + GRACE):
                    return await self._run(prepared, request, caller, event)
        except TimeoutError:
            raise deadline.too_late() from None

    def _executor(self, caller: Caller | None) -> type[LeanExecutor]:
        return EXECUTORS[_veiled(caller), self._terms.introspection]

    async def _run(
        self,
        prepared: Prepared,
        request: GraphQLRequest,
        caller: Caller | None,
        event: Any = None,
        ending: Ending | None = None,
    ) -> ExecutionResult:
        user = caller.name if caller else ""
        if event is None and ending is None and not _restricted(caller):
            data = await self._quick.answer(prepared, request, veiled=_veiled(caller))
            if data is not None:
                return ExecutionResult(data)
        result = execute(
            self._schema,
            prepared.document,
            root_value=event,
            context_value=Context(
                self._graph,
                prepared.fields,
                veiled=_veiled(caller),
                restricted=_restricted(caller),
                user=user,
                ending=ending,
            ),
            variable_values=dict(request.variables),
            operation_name=request.operation_name,
            max_coercion_errors=10,
            hide_suggestions=True,
            executor_class=self._executor(caller),
        )
        return await result if isinstance(result, Awaitable) else result


def _veiled(caller: Caller | None) -> bool:
    return caller is not None and caller.role is Role.ANALYST


def _restricted(caller: Caller | None) -> bool:
    """Whether who asks sees restricted persons. Where nobody is known, nobody does."""
    return caller is not None and caller.role is Role.PRIVACY_OFFICER


def _shown(result: ExecutionResult, request_id: str, mutates: bool = False) -> Answer:
    if not result.errors:
        return Answer({"data": result.data}, mutates=mutates)
    errors = show_all(result.errors, request_id)
    if result.data is None and all(error.path is None for error in result.errors):
        return Answer({"errors": errors}, refused=True, mutates=mutates)
    return Answer({"data": result.data, "errors": errors}, mutates=mutates)


def new_request_id() -> str:
    return uuid.uuid4().hex[:16]


async def answer_once(
    graph: IdentityGraph, found: Mapping[str, Any], door: Door | None, caller: Caller | None, audit: AuditLog | None
) -> Mapping[str, Any]:
    try:
        request = from_mapping(found)
    except QueryError as error:
        return {"errors": [show(error, new_request_id())]}
    endpoint = Endpoint(graph, Terms(deadline=None, mutation_deadline=None), door, audit)
    return (await endpoint.answer(request, caller=caller)).body
