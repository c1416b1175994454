"""Frames between two processes, over a socket or a pipe: a length of eight bytes, then what `marshal` writes."""

from __future__ import annotations

import marshal
import socket
import struct
from collections.abc import Callable
from typing import Any, BinaryIO

_LENGTH = struct.Struct("<Q")


def framed(content: Any) -> bytes:
    packed = marshal.dumps(content)
    return _LENGTH.pack(len(packed)) + packed


def write_frame(pipe: BinaryIO, content: Any) -> None:
    packed = marshal.dumps(content)
    pipe.write(_LENGTH.pack(len(packed)))
    pipe.write(packed)
    pipe.flush()


def read_frame(pipe: BinaryIO) -> Any:
    """However long that takes. Raises EOFError where the pipe ends before, also in the middle of the frame."""
    return _next(pipe.read)


def next_frame(wire: socket.socket) -> Any:
    """As `read_frame`, and no byte of what comes behind it."""
    return _next(lambda size: wire.recv(size, socket.MSG_WAITALL))


def _next(read: Callable[[int], bytes]) -> Any:
    (length,) = _LENGTH.unpack(_exactly(read, _LENGTH.size))
    return marshal.loads(_exactly(read, length))


def _exactly(read: Callable[[int], bytes], size: int) -> bytes:
    found = read(size)
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
