"""Frames between two processes, over a socket: a length of four bytes, then what `marshal` writes."""

from __future__ import annotations

import marshal
import socket
import struct
from typing import Any

_LENGTH = struct.Struct("<I")


def framed(content: Any) -> bytes:
    packed = marshal.dumps(content)
    return _LENGTH.pack(len(packed)) + packed


def next_frame(wire: socket.socket) -> Any:
    """And no byte of what comes behind it, however long that takes. Raises EOFError where the socket ends before."""
    (length,) = _LENGTH.unpack(_exactly(wire, _LENGTH.size))
    return marshal.loads(_exactly(wire, length))


def _exactly(wire: socket.socket, size: int) -> bytes:
    found = wire.recv(size, socket.MSG_WAITALL)
    if len(found) < size:
        raise EOFError
    return found


class Unframing:
    """Puts together what arrives in pieces.

    >>> unframing, sent = Unframing(), framed(["a", 1]) + framed(None)
    >>> [unframing.add(piece) for piece in (sent[:3], sent[3:9], sent[9:])]
    [[], [], [['a', 1], None]]
    """

    def __init__(self) -> None:
        self._rest = bytearray()

    def add(self, piece: bytes) -> list[Any]:
        """What is whole by now, in order."""
        found: list[Any] = []
        rest, at = self._rest, 0
        rest += piece
        with memoryview(rest) as whole:
            while len(rest) >= at + _LENGTH.size:
                begin = at + _LENGTH.size
                end = begin + _LENGTH.unpack_from(whole, at)[0]
                if len(rest) < end:
                    break
                found.append(marshal.loads(whole[begin:end]))
                at = end
        del rest[:at]
        return found
