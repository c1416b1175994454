"""One request on its way to the store."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from typing import NamedTuple

from identity_graph.loaders import Loader
from identity_graph.tracking.mapped import Mapped, map_sent, packed_size, record_at
from identity_graph.tracking.sent import read_sent


class Body(NamedTuple):
    """What came, to the path of which kind, and when; `objects`: its sender lets nobody sell or share it."""

    raw: bytes
    kind: str
    received: int
    objects: bool = False


class Request:
    """`stored` is done when the messages are durable, or fails with the reason why they are not; it cannot be
    cancelled, as who has gone away meanwhile is stored all the same. `number` tells those of one process from each
    other for another one."""

    def __init__(self, body: Body, loader: Loader, new_id: Callable[[], str], number: int = 0) -> None:
        self.loader = loader
        self.stored: Future[None] = Future()
        self.stored.set_running_or_notify_cancel()
        self.body = body
        self.number = number
        self._new_id = new_id
        self._mapped: Mapped | None = None
        self._packed: bytes | None = None

    def map(self) -> None:
        """Here and now. Raises MESSAGE_INVALID, MESSAGE_TOO_LARGE."""
        sent = read_sent(self.body.raw, self.body.kind)
        self._mapped = map_sent(sent, self.loader, self.body.received, self._new_id, self.body.objects)

    @property
    def mapped(self) -> Mapped:
        if self._mapped is None:
            assert self._packed is not None
            self._mapped = Mapped.unpack(self._packed)
        return self._mapped

    @property
    def packed(self) -> bytes:
        """What was mapped, for another process."""
        return self.mapped.pack() if self._packed is None else self._packed

    @packed.setter
    def packed(self, packed: bytes) -> None:
        """What another process mapped; read where it is needed."""
        self._packed = packed

    def __len__(self) -> int:
        return max(1, len(self.mapped) if self._packed is None else packed_size(self._packed))

    def record(self, place: int) -> bytes:
        """Of a message that was mapped; read once more, for nearly none is ever asked for."""
        sent = read_sent(self.body.raw, self.body.kind)
        return record_at(sent, place, self.body.received, self._new_id, self.body.objects)
