"""One request on its way to the store."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from typing import NamedTuple

from identity_graph.loaders import Loader
from identity_graph.tracking.mapped import Mapped, map_sent, record_at
from identity_graph.tracking.sent import read_sent


class Body(NamedTuple):
    """What came, to the path of which kind, and when; `objects`: its sender lets nobody sell or share it."""

    raw: bytes
    kind: str
    received: int
    objects: bool = False


class Request:
    """`stored` is done when the messages are durable, or fails with the reason why they are not."""

    def __init__(self, body: Body, loader: Loader, new_id: Callable[[], str]) -> None:
        self.loader = loader
        self.stored: Future[None] = Future()
        self.mapped: Mapped
        self.body = body
        self._new_id = new_id

    def map(self) -> None:
        """Here and now. Raises MESSAGE_INVALID, MESSAGE_TOO_LARGE."""
        sent = read_sent(self.body.raw, self.body.kind)
        self.mapped = map_sent(sent, self.loader, self.body.received, self._new_id, self.body.objects)

    def __len__(self) -> int:
        return max(1, len(self.mapped))

    def record(self, place: int) -> bytes:
        """Of a message that was mapped; read once more, for nearly none is ever asked for."""
        sent = read_sent(self.body.raw, self.body.kind)
        return record_at(sent, place, self.body.received, self._new_id, self.body.objects)
