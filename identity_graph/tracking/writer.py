"""Group commit: what waits at the same time becomes durable in one transaction, by the only one that writes it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from itertools import accumulate
from typing import Protocol, overload

from identity_graph.errors import StoreError
from identity_graph.event_table import EventTable
from identity_graph.model import Origin, Refused, Run
from identity_graph.publishing import Publishing
from identity_graph.store.protocols import Batch, Store
from identity_graph.tracking.counting import Counting
from identity_graph.tracking.request import Request

GROUP = 2_000  # messages of one transaction, or those of one request
FEW = 50  # messages: while more come at a time, others are not kept waiting by each publication

log = logging.getLogger("identity_graph.tracking")


class Origins(Sequence[Origin]):
    """Origins of the events of several requests, made when they are asked for: nearly none ever is."""

    def __init__(self, requests: Sequence[Request], position: int) -> None:
        self._rows = [(request, place) for request in requests for place in request.mapped.places]
        starts = accumulate((len(request.mapped) for request in requests), initial=position)
        self._starts = dict(zip(map(id, requests), starts, strict=False))

    def __len__(self) -> int:
        return len(self._rows)

    @overload
    def __getitem__(self, number: int) -> Origin: ...

    @overload
    def __getitem__(self, number: slice) -> list[Origin]: ...

    def __getitem__(self, number: int | slice) -> Origin | list[Origin]:
        if isinstance(number, slice):
            return [self[each] for each in range(len(self))[number]]
        request, place = self._rows[number]
        position = self._starts[id(request)] + place
        return Origin(position + 1, position, request.record(place))


class Coming(Protocol):
    """What comes to be stored: `Waiting`, or the `Inbox` of a process."""

    @property
    def held(self) -> int: ...

    @property
    def closed(self) -> bool: ...

    def take(self, most: int, patience: float | None) -> Sequence[Request]: ...


class Writer:
    """Stores and publishes until what comes is closed and empty. `answer` hears which requests are durable, or why they
    are not, and `published` that persons were tried to be published."""

    def __init__(
        self,
        store: Store,
        coming: Coming,
        counting: Counting,
        publishing: Publishing,
        answer: Callable[[Sequence[Request], Exception | None], None],
        published: Callable[[], None] = lambda: None,
    ) -> None:
        self._store = store
        self._coming = coming
        self._counting = counting
        self._publishing = publishing
        self._answer = answer
        self._published = published

    def run(self) -> None:
        publishing, coming = self._publishing, self._coming
        hurried = False
        while not (coming.closed and not coming.held):
            group = coming.take(GROUP, publishing.patience(hurried=hurried))
            if group:
                hurried = sum(map(len, group)) + coming.held > FEW
                self._take(group)
            if publishing.due(hurried=hurried):
                publishing.publish()
                self._published()
        publishing.publish()
        self._published()
        try:
            self._counting.close()
        except StoreError as error:
            log.error("the runs are not ended: %s", error.code)

    def _take(self, group: Sequence[Request]) -> None:
        try:
            self._store_all(group)
        except Exception as error:
            if len(group) > 1 and not isinstance(error, StoreError):
                for request in group:  # one of them is the reason; the others must not suffer
                    self._take([request])
                return
            self._answer(group, error)
        else:
            self._publishing.arrived()
            self._answer(group, None)

    def _store_all(self, group: Sequence[Request]) -> None:
        sources: dict[str, list[Request]] = {}
        for request in group:
            sources.setdefault(request.loader.reference, []).append(request)
        try:
            self._append(list(sources.values()))
        except StoreError as error:
            if error.code != "SOURCE_CHANGED":
                raise
            self._counting.alone()
            self._append(list(sources.values()))

    def _append(self, sources: Sequence[Sequence[Request]]) -> None:
        runs: dict[str, tuple[Run, Run]] = {}
        with self._store.transaction():
            for requests in sources:
                loader = requests[0].loader
                run = self._counting.current(loader)
                batch = _batch(requests, self._first_times(requests), run.position)
                runs[loader.reference] = (run, self._store.evidence.append(run, batch))
        self._counting.committed(runs)

    def _first_times(self, requests: Sequence[Request]) -> dict[str, int]:
        """Of events whose time depends on when they come: the time of the first of each id, stored or here."""
        first: dict[str, int] = {}
        for request in requests:
            events = request.mapped.events
            for row in request.mapped.dated:
                first.setdefault(events.ids[row], events.times[row])
        if first:
            known = self._store.evidence.events(list(first))
            first |= {row.event.id: row.event.time for row in known if row}
        return first


def _batch(requests: Sequence[Request], first: Mapping[str, int], position: int) -> Batch:
    refused: list[Refused] = []
    after = position
    for request in requests:
        for place, raw, code, message in request.mapped.refused:
            refused.append(Refused(Origin(after + place + 1, after + place, raw), code, message))
        after += len(request.mapped)
    events = EventTable.joined([request.mapped.redated(first) for request in requests])
    return Batch(events, Origins(requests, position), refused, after, after, time=requests[-1].body.received)
