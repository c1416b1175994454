"""Reading ahead changes nothing but the time."""

from __future__ import annotations

import threading
from collections.abc import Generator

import pytest

from identity_graph.ahead import Ahead
from identity_graph.store.protocols import Batch
from tests.conftest import soon


def steps(count: int, made: list[int], error: Exception | None = None) -> Generator[Batch, None, None]:
    try:
        for number in range(count):
            made.append(number)
            yield Batch([], [], position=number)
        if error:
            raise error
    finally:
        made.append(-1)


def test_the_same_steps_in_order_and_one_more_at_the_ready() -> None:
    made: list[int] = []
    found = Ahead(steps(5, made))
    assert [step.position for step in found] == [0, 1, 2, 3, 4]
    assert made == [0, 1, 2, 3, 4, -1]


def test_what_comes_next_can_be_looked_at_and_still_comes() -> None:
    found = Ahead(steps(3, []))
    assert next(found).position == 0
    soon(lambda: found.upcoming() is not None)
    assert [step.position for step in (found.upcoming(), found.upcoming()) if step] == [1, 1]
    assert [step.position for step in found] == [1, 2]
    assert found.upcoming() is None


def test_nothing_comes_before_an_error_that_was_looked_at() -> None:
    found = Ahead(steps(0, [], ValueError("broken")))
    soon(lambda: not found._made.empty())
    assert found.upcoming() is None
    with pytest.raises(ValueError, match="broken"):
        next(found)


def test_an_error_comes_after_the_steps_before_it() -> None:
    seen = []
    with pytest.raises(ValueError, match="broken"):
        for step in Ahead(steps(3, [], ValueError("broken"))):
            seen.append(step.position)
    assert seen == [0, 1, 2]


def test_whoever_stops_leaves_no_thread_and_no_open_source() -> None:
    made: list[int] = []
    found = Ahead(steps(1_000, made))
    assert next(found).position == 0
    found.close()
    assert made[-1] == -1 and len(made) < 6
    assert not any(thread.name == "ahead" for thread in threading.enumerate())
