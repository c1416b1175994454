"""Two threads that wait for each other within a kernel."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from identity_graph.kernel import kernel
from identity_graph.resolve.lockstep import lockstep, meet
from identity_graph.tables import Int64

TIMES = 20_000


@kernel(nogil=True, inline=True)  # which is compiled anew each time: `meet` may be another one
def _tell(me: int, meeting: Int64, words: Int64, wrong: Int64) -> None:  # pragma: no cover - compiled
    """Say a number of the time and hear the other's, by plain words of memory."""
    for time in range(TIMES):
        words[time % 2, me] = 2 * time + me
        if not meet(meeting, me):
            wrong[me] = -1
            break
        wrong[me] += words[time % 2, 1 - me] != 2 * time + 1 - me


def test_each_sees_what_the_other_wrote_before_they_met() -> None:
    words, wrong = np.zeros((2, 2), np.int64), np.zeros(2, np.int64)
    with ThreadPoolExecutor(1) as thread:
        lockstep(thread, _tell, words, wrong)
    assert not wrong.any()


@pytest.mark.parametrize("who", [0, 1])
def test_who_is_interrupted_leaves_nobody_waiting(who: int) -> None:
    words, wrong = np.zeros((2, 2), np.int64), np.zeros(2, np.int64)

    def interrupted(me: int, meeting: Int64) -> None:
        if me == who:
            raise KeyboardInterrupt
        _tell(me, meeting, words, wrong)

    with pytest.raises(KeyboardInterrupt), ThreadPoolExecutor(1) as thread:
        lockstep(thread, interrupted)
    assert wrong[who] == 0 and wrong[1 - who] == -1
