"""One call of a service method for all that a request asks of it at one level: what keeps N+1 away.

Resolvers name what they need and get a value or a future of it. What was named until the event loop comes
round again is one *wave*: each method is called once with all its keys, one after the other in one worker thread,
since the services block. A key asked for again in the same request is answered from the first time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar

import anyio.to_thread

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Work(Protocol):
    """A part of a wave. Only `run` is called in the worker thread."""

    def take(self) -> None: ...

    def run(self) -> None: ...

    def hand_out(self) -> None: ...


class Waves:
    """The waves of one request, one at a time."""

    def __init__(self) -> None:
        self._waiting: list[Work] = []
        self._task: asyncio.Task[None] | None = None

    def add(self, work: Work) -> None:
        self._waiting.append(work)
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._run())

    def call(self, function: Callable[..., Any], *arguments: Any) -> asyncio.Future[Any]:
        """One call by itself, for what takes no sequence of keys."""
        work = _Single(function, arguments, asyncio.get_running_loop().create_future())
        self.add(work)
        return work.future

    async def _run(self) -> None:
        while self._waiting:
            # Resolvers of this level that are tasks of their own have yet to say what they need.
            await asyncio.sleep(0)
            wave, self._waiting = self._waiting, []
            for work in wave:
                work.take()
            await anyio.to_thread.run_sync(_run_all, wave)
            for work in wave:
                work.hand_out()
            await asyncio.sleep(0)
        self._task = None


def _run_all(wave: Sequence[Work]) -> None:
    for work in wave:
        work.run()


@dataclass(slots=True)
class _Single:
    function: Callable[..., Any]
    arguments: tuple[Any, ...]
    future: asyncio.Future[Any]
    result: Any = None
    error: Exception | None = None

    def take(self) -> None:
        pass

    def run(self) -> None:
        try:
            self.result = self.function(*self.arguments)
        except Exception as error:
            self.error = error

    def hand_out(self) -> None:
        if self.error is None:
            _resolve(self.future, self.result)
        else:
            _reject(self.future, self.error)


def _as_it_is(value: Any) -> Any:
    return value


@dataclass(slots=True)
class _Entry:
    """Of one key: its value once it is there; until then, who waits for it."""

    settled: bool = False
    value: Any = None
    waiting: list[tuple[asyncio.Future[Any], Callable[[Any], Any]]] = field(default_factory=list)


class Batch(Generic[K, V]):
    """One service method: a sequence of keys in, an aligned list out."""

    def __init__(self, waves: Waves, method: Callable[[Sequence[K]], Sequence[V]]) -> None:
        self._waves = waves
        self._method = method
        self._entries: dict[K, _Entry] = {}
        self._wanted: list[K] = []
        self._taken: list[K] = []
        self._values: Sequence[V] = ()
        self._error: Exception | None = None

    def load(self, key: K, pick: Callable[[V], Any] = _as_it_is) -> Any:
        """`pick` of the key's value: at once if it is known, else as a future. `pick` may load more."""
        entry = self._entries.get(key)
        if entry is None:
            entry = self._entries[key] = _Entry()
            self._wanted.append(key)
            if len(self._wanted) == 1:
                self._waves.add(self)
        elif entry.settled:
            return pick(entry.value)
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        entry.waiting.append((future, pick))
        return future

    async def load_all(self, keys: Iterable[K]) -> list[V]:
        """The values of many keys, in one wave."""
        found = [self.load(key) for key in keys]
        return [await value if isinstance(value, asyncio.Future) else value for value in found]

    def read(self, keys: Sequence[K]) -> Sequence[V]:
        """By the method itself, at once."""
        values = self._method(keys)
        if len(values) != len(keys):
            raise RuntimeError(f"{len(values)} answers to {len(keys)} keys")
        return values

    def take(self) -> None:
        self._taken, self._wanted = self._wanted, []

    def run(self) -> None:
        self._error = None
        try:
            self._values = self.read(self._taken)
        except Exception as error:
            self._error = error

    def hand_out(self) -> None:
        if self._error is not None:
            for key in self._taken:
                for future, _ in self._entries.pop(key).waiting:
                    _reject(future, self._error)
            return
        for key, value in zip(self._taken, self._values, strict=True):
            entry = self._entries[key]
            entry.settled, entry.value = True, value
            for future, pick in entry.waiting:
                _settle(future, pick, value)
            entry.waiting.clear()


def _settle(future: asyncio.Future[Any], pick: Callable[[Any], Any], value: Any) -> None:
    try:
        picked = pick(value)
    except Exception as error:
        _reject(future, error)
        return
    if isinstance(picked, Awaitable):
        asyncio.ensure_future(picked).add_done_callback(lambda done: _follow(future, done))
    else:
        _resolve(future, picked)


def _follow(future: asyncio.Future[Any], done: asyncio.Future[Any]) -> None:
    error = done.exception()
    if error is None:
        _resolve(future, done.result())
    else:
        _reject(future, error)


def _resolve(future: asyncio.Future[Any], value: Any) -> None:
    if not future.done():
        future.set_result(value)


def _reject(future: asyncio.Future[Any], error: BaseException) -> None:
    if not future.done():
        future.set_exception(error)
        # A sibling may have failed first, so that nobody asks; asyncio would then log this error and its text.
        future.exception()
