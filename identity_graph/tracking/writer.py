"""Group commit: what waits at the same time becomes durable in one transaction, by the only thread that writes it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from threading import Thread
from typing import overload

from identity_graph.errors import StoreError
from identity_graph.model import Origin, Refused, Run
from identity_graph.records.event_bytes import write_record
from identity_graph.store.protocols import Batch, Store
from identity_graph.tracking.counting import Counting
from identity_graph.tracking.publishing import Publishing
from identity_graph.tracking.request import Mapped, Request
from identity_graph.tracking.waiting import Waiting

GROUP = 2_000  # messages of one transaction, or those of one request

log = logging.getLogger("identity_graph.tracking")


class Origins(Sequence[Origin]):
    """Origins of events, made when they are asked for: nearly none ever is."""

    def __init__(self, mapped: Mapped, position: int) -> None:
        self._mapped = mapped
        self._position = position

    def __len__(self) -> int:
        return len(self._mapped.events)

    @overload
    def __getitem__(self, number: int) -> Origin: ...

    @overload
    def __getitem__(self, number: slice) -> list[Origin]: ...

    def __getitem__(self, number: int | slice) -> Origin | list[Origin]:
        if isinstance(number, slice):
            return [self[each] for each in range(len(self))[number]]
        place = self._position + self._mapped.places[number]
        return Origin(place + 1, place, write_record(self._mapped.records[number]))


class Writer(Thread):
    """Stores and publishes until the queue is closed and empty."""

    def __init__(
        self,
        store: Store,
        waiting: Waiting[Request],
        counting: Counting,
        publishing: Publishing,
        new_id: Callable[[], str],
    ) -> None:
        super().__init__(name="tracking", daemon=True)
        self._store = store
        self._waiting = waiting
        self._counting = counting
        self._publishing = publishing
        self._new_id = new_id

    def run(self) -> None:
        publishing, waiting = self._publishing, self._waiting
        while not (waiting.closed and waiting.empty):
            group = waiting.take(GROUP, publishing.patience())
            for request in group:
                request.stored.set_running_or_notify_cancel()  # who has gone away meanwhile is stored all the same
            if group:
                self._answer(group)
            if publishing.due() or (waiting.empty and not publishing.trouble):
                publishing.publish()
        publishing.publish()
        try:
            self._counting.close()
        except StoreError as error:
            log.error("the runs are not ended: %s", error.code)

    def _answer(self, group: Sequence[Request]) -> None:
        try:
            self._store_all(group)
        except Exception as error:
            if len(group) > 1 and not isinstance(error, StoreError):
                for request in group:  # one of them is the reason; the others must not suffer
                    self._answer([request])
                return
            for request in group:
                if not request.stored.cancelled():
                    request.stored.set_exception(error)
        else:
            self._publishing.arrived()
            for request in group:
                if not request.stored.cancelled():
                    request.stored.set_result(None)

    def _store_all(self, group: Sequence[Request]) -> None:
        sources: dict[str, tuple[Request, Mapped]] = {}
        for request in group:
            _, mapped = sources.setdefault(request.loader.reference, (request, Mapped()))
            request.map(self._new_id, mapped)
        try:
            self._append(list(sources.values()))
        except StoreError as error:
            if error.code != "SOURCE_CHANGED":
                raise
            self._counting.alone()
            self._append(list(sources.values()))

    def _append(self, sources: Sequence[tuple[Request, Mapped]]) -> None:
        runs: dict[str, Run] = {}
        with self._store.transaction():
            for request, mapped in sources:
                if mapped.dated:
                    known = self._store.evidence.events(mapped.dated)
                    mapped.redate([(row.event.id, row.event.time) for row in known if row])
                run = self._counting.current(request.loader)
                runs[request.loader.reference] = self._store.evidence.append(run, _batch(mapped, run.position))
        self._counting.committed(runs)


def _batch(mapped: Mapped, position: int) -> Batch:
    refused = [
        Refused(Origin(position + place + 1, position + place, raw), code, message)
        for place, raw, code, message in mapped.refused
    ]
    return Batch(mapped.events, Origins(mapped, position), refused, position + len(mapped), position + len(mapped))
