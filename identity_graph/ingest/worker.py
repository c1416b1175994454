"""A process that maps pieces of a source to events, started by `crew.py`.

It reads frames from standard input and answers each on standard output: a length of eight bytes, then the content. The
first frame is a pickled loader file, answered by an empty frame. It ends when its input ends, so nothing is left of it
when the process that started it is gone.
"""

from __future__ import annotations

import gc
import marshal
import os
import pickle
import signal
import struct
import sys
from typing import BinaryIO

_LENGTH = struct.Struct("<Q")


def write_frame(stream: BinaryIO, content: bytes) -> None:
    stream.write(_LENGTH.pack(len(content)))
    stream.write(content)
    stream.flush()


def read_frame(stream: BinaryIO) -> bytes:
    """Raises EOFError at the end of the stream, also in the middle of a frame."""
    head = stream.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        raise EOFError
    (length,) = _LENGTH.unpack(head)
    content = stream.read(length)
    if len(content) < length:
        raise EOFError
    return content


def main() -> None:
    from identity_graph.ingest.block import PIECES, map_piece
    from identity_graph.loaders import Loader

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # an interrupt is for the process that started this one
    gc.disable()  # millions of objects and no cycles
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever prints must not print into a frame
    questions = sys.stdin.buffer
    try:
        loader = Loader(pickle.loads(read_frame(questions)))
        write_frame(answers, b"")
        while True:
            kind, piece, received, default_time = marshal.loads(read_frame(questions))
            write_frame(answers, map_piece(loader, PIECES[kind](*piece), received, default_time).pack())
    except (EOFError, BrokenPipeError):
        os._exit(0)
