"""Batches: one call for all that is asked at one level, however resolvers are scheduled."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from typing import Any

import anyio
import pytest

from identity_graph.api.batches import Batch, Waves


class Service:
    """Doubles numbers and remembers how it was called."""

    def __init__(self) -> None:
        self.calls: list[list[int]] = []
        self.threads: set[int] = set()

    def double(self, keys: Sequence[int]) -> list[int]:
        self.calls.append(list(keys))
        self.threads.add(threading.get_ident())
        return [2 * key for key in keys]


def run(body: Any) -> Any:
    return anyio.run(body)


def test_keys_of_one_level_go_in_one_call_without_repeats_and_off_the_event_loop() -> None:
    service = Service()

    async def body() -> None:
        batch = Batch(Waves(), service.double)

        async def nested(key: int, ticks: int) -> int:
            for _ in range(ticks):
                await asyncio.sleep(0)
            return int(await batch.load(key))

        found = await asyncio.gather(batch.load(1), batch.load(2), batch.load(1), nested(3, 0), nested(4, 0))
        assert list(found) == [2, 4, 2, 6, 8]
        assert batch.load(3) == 6
        assert await batch.load_all([1, 5]) == [2, 10]
        assert threading.get_ident() not in service.threads

    run(body)
    assert service.calls == [[1, 2, 3, 4], [5]]


def test_methods_of_one_level_share_a_wave_and_pick_may_load_more() -> None:
    first, second = Service(), Service()

    async def body() -> None:
        waves = Waves()
        one, two = Batch(waves, first.double), Batch(waves, second.double)
        chained = [one.load(key, lambda value: two.load(value)) for key in (1, 2, 3)]
        single = waves.call(lambda: threading.get_ident())
        assert await asyncio.gather(*chained) == [4, 8, 12]
        assert {await single} == first.threads

    run(body)
    assert (first.calls, second.calls) == ([[1, 2, 3]], [[2, 4, 6]])


def test_a_failure_reaches_everybody_who_asked_and_nothing_is_remembered_of_it() -> None:
    attempts: list[int] = []

    def fail_first(keys: Sequence[int]) -> list[int]:
        attempts.append(len(keys))
        if len(attempts) == 1:
            raise LookupError("gone")
        return list(keys)

    async def body() -> None:
        batch = Batch(Waves(), fail_first)
        outcomes = await asyncio.gather(batch.load(1), batch.load(2), return_exceptions=True)
        assert [type(outcome) for outcome in outcomes] == [LookupError, LookupError]
        assert await batch.load(1) == 1

    run(body)
    assert attempts == [2, 1]


def test_an_answer_of_another_length_is_a_defect() -> None:
    async def body() -> None:
        with pytest.raises(RuntimeError, match="1 answers to 2 keys"):
            batch: Batch[int, int] = Batch(Waves(), lambda keys: [1])
            await batch.load_all([1, 2])

    run(body)


def test_an_error_in_pick_is_its_own(caplog: pytest.LogCaptureFixture) -> None:
    service = Service()

    async def body() -> None:
        batch = Batch(Waves(), service.double)
        bad = batch.load(1, lambda value: 1 // 0)
        good = batch.load(1)
        nobody_asks = batch.load(2, lambda value: 1 // 0)
        assert await good == 2
        with pytest.raises(ZeroDivisionError):
            await bad
        del nobody_asks

    run(body)
    assert caplog.text == ""
