"""A process that maps pieces of a source to events, started by `crew.py`.

It reads frames from standard input and answers each on standard output. The first one is a pickled loader file, and
whether pieces are of tables; its answer says nothing. It ends when its input ends, so nothing is left of it when the
process that started it is gone.
"""

from __future__ import annotations

import gc
import os
import pickle
import signal
import sys
from importlib import import_module

from identity_graph.wire import read_frame, write_frame


def main() -> None:
    from identity_graph.ingest.block import PIECES, map_piece
    from identity_graph.loaders import Loader

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # an interrupt is for the process that started this one
    gc.disable()  # millions of objects and no cycles
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever prints must not print into a frame
    questions = sys.stdin.buffer
    try:
        file, tables = pickle.loads(read_frame(questions))
        loader = Loader(file)
        if tables:
            import_module("polars")
        write_frame(answers, None)
        while True:
            kind, piece, received, default_time = read_frame(questions)
            write_frame(answers, map_piece(loader, PIECES[kind](*piece), received, default_time).pack())
    except (EOFError, BrokenPipeError):
        os._exit(0)
