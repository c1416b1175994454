"""Two threads that work on the same arrays and wait for each other often, within one kernel."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import numpy as np

from identity_graph.kernel import instruction, kernel
from identity_graph.resolve.threads import both
from identity_graph.tables import Int64

_APART = 16  # words between those of the two: no cache line is of both
_LEFT = 2 * _APART  # the place of the word that says that one of them will not come any more
_PATIENCE = 1_000_000  # looks, of a nanosecond or two, before the processor is offered to others


def lockstep(thread: ThreadPoolExecutor, task: Callable[..., None], *shared: Any) -> None:
    """`task(me, meeting, *shared)` for me = 1 in the thread and for me = 0 here: a kernel that does not hold the
    interpreter, calls `meet` as often for one as for the other, and ends when that is False.

    A meeting costs half a microsecond; by the interpreter it would cost a hundred times that. It is not for a machine
    of one processor, where each meeting takes a change of threads.
    """
    meeting = np.zeros(3 * _APART, np.int64)

    def share(me: int) -> None:
        with _leaving(meeting):
            task(me, meeting, *shared)

    with _leaving(meeting):  # also where the own share is not come to, after Ctrl-C
        both(thread, share, (1,), (0,))


@contextmanager
def _leaving(meeting: Int64) -> Iterator[None]:
    """Whoever leaves by an error says so, or else the other would wait for ever."""
    try:
        yield
    except BaseException:
        meeting[_LEFT] = 1
        raise


@kernel(inline=True)
def meet(meeting: Int64, me: int) -> bool:  # pragma: no cover - compiled
    """Wait until the other thread has come as often as this one, which then sees all that it wrote before; False if it
    will not come."""
    times = meeting[_APART * me] + 1
    _publish(meeting, _APART * me, times)
    looks = 0
    while _look(meeting, _APART * (1 - me)) < times:
        if _look(meeting, _LEFT):
            return False
        looks += 1
        if looks > _PATIENCE:
            _offer_processor()
    return True


@instruction
def _look(typing_context: Any, words: Any, place: Any) -> Any:
    """A word as it is now, before what is read after it."""
    from numba import types

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.load_atomic(_address(context, builder, signature, arguments), "acquire", 8)

    return types.int64(words, types.intp), emit


@instruction
def _publish(typing_context: Any, words: Any, place: Any, word: Any) -> Any:
    """Write a word after all that was written before it."""
    from numba import types

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        builder.store_atomic(arguments[2], _address(context, builder, signature, arguments), "release", 8)
        return context.get_dummy_value()

    return types.void(words, types.intp, types.int64), emit


@instruction
def _offer_processor(typing_context: Any) -> Any:
    """To whoever waits for one."""
    from llvmlite import ir
    from numba import types

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        name, kind = "sched_yield", ir.FunctionType(ir.IntType(32), [])
        builder.call(builder.module.globals.get(name) or ir.Function(builder.module, kind, name), [])
        return context.get_dummy_value()

    return types.void(), emit


def _address(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    data = context.make_array(signature.args[0])(context, builder, arguments[0]).data
    return builder.gep(data, [arguments[1]])
