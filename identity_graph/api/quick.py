"""Queries answered by plans, where it can be done: at once from what is remembered, else in a thread that reads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import anyio
import anyio.to_thread

from identity_graph.api.context import Context
from identity_graph.api.documents import Prepared
from identity_graph.api.plan import Asked, Plans
from identity_graph.api.request import GraphQLRequest
from identity_graph.api.supply import Remembered, Supply, Unsupplied

if TYPE_CHECKING:
    from identity_graph.service import IdentityGraph


class Quick:
    def __init__(self, graph: IdentityGraph, plans: Plans) -> None:
        self._graph = graph
        self._plans = plans
        self._remembered = Remembered(graph.store)
        # Where reads compute more than they wait, threads that take turns only hold each other up. There are two, so
        # that one long read does not hold up everybody.
        self._turns = None if graph.store.version() is None else anyio.CapacityLimiter(2)

    async def answer(self, prepared: Prepared, request: GraphQLRequest, *, veiled: bool) -> dict[str, Any] | None:
        """The data; None where the general way has to answer, also because something went wrong on this one."""

        asked = Asked(self._graph, request.variables, veiled=veiled)

        def attempt(supply: Supply) -> dict[str, Any]:
            asked.reads = supply
            data: dict[str, Any] = self._plans.answer(prepared, request.operation_name, asked)
            return data

        def read() -> dict[str, Any]:
            version, known = self._remembered.now()
            supply = Supply(known, Context(self._graph, prepared.fields, veiled=veiled))
            data = attempt(supply)
            if self._remembered.keep(version, known, supply) or not any(known.values()):
                return data
            # Somebody wrote meanwhile: what was known and what was read are not of one moment.
            return attempt(Supply({}, Context(self._graph, prepared.fields, veiled=veiled)))

        def recall() -> dict[str, Any]:
            version, known = self._remembered.now()
            supply = Supply(known, None)
            data = attempt(supply)
            if any(supply.found.values()):
                self._remembered.keep(version, known, supply)
            return data

        try:
            try:
                return recall()
            except Unsupplied:
                return await anyio.to_thread.run_sync(read, abandon_on_cancel=True, limiter=self._turns)
        except Exception:
            return None
