"""One request on its way: messages of one source, mapped to events, and who waits for the answer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Any

from identity_graph.errors import InputError
from identity_graph.loaders import Loader
from identity_graph.model import Event
from identity_graph.records.event_bytes import write_record
from identity_graph.tracking.completing import Completing
from identity_graph.tracking.sent import Sent


class Request:
    """`stored` is done when the messages are durable, or fails with the reason why they are not."""

    def __init__(self, loader: Loader, sent: Sent, received: int) -> None:
        self.loader = loader
        self.stored: Future[None] = Future()
        self._sent = sent
        self._received = received

    def __len__(self) -> int:
        return len(self._sent.messages)

    def map(self, new_id: Callable[[], str], into: Mapped) -> None:
        completing = Completing(self._received, self._sent.sent_at, new_id)
        event_of = self.loader.event
        for message in self._sent.messages:
            if isinstance(message, tuple):
                into.refuse(message[0], *message[1])
                continue
            dated = completing.complete(message)
            try:
                event = event_of(message, received=self._received)
            except InputError as error:
                into.refuse(write_record(message), error.code, error.message)
            else:
                into.take(event, message, dated)


class Mapped:
    """Messages of one source in the order of their arrival: events, with the places and records of each, and what was
    refused, with its place and bytes. `dated` are ids of events whose time depends on when they came."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.places: list[int] = []
        self.records: list[dict[str, Any]] = []
        self.refused: list[tuple[int, bytes, str, str]] = []
        self.dated: list[str] = []

    def __len__(self) -> int:
        return len(self.events) + len(self.refused)

    def take(self, event: Event, record: dict[str, Any], dated: bool) -> None:
        self.places.append(len(self))
        self.events.append(event)
        self.records.append(record)
        if dated:
            self.dated.append(event.id)

    def refuse(self, raw: bytes, code: str, message: str) -> None:
        self.refused.append((len(self), raw, code, message))

    def redate(self, times: Sequence[tuple[str, int]]) -> None:
        """What has arrived before keeps the time that it had then."""
        first = dict(times)
        dated = set(self.dated)
        for place, event in enumerate(self.events):
            if event.id in dated:
                time = first.setdefault(event.id, event.time)
                if time != event.time:
                    self.events[place] = event._replace(time=time)
