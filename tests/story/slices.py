"""The machine of random steps in slices, each of which its seed replays: `python -m tests.story.slices SEED [SLICES]`.

A slice is some 20,000 steps, so fifty are a million: about three hours of one processor. They may run in any number of
processes and at any time; the seeds count up. The first that fails prints its steps as a program, and ends the run.
"""

from __future__ import annotations

import sys
import time

from hypothesis import HealthCheck, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.story.test_machine import EXAMPLES, STEPS, Machine


def run_slice(number: int, examples: int = EXAMPLES, steps: int = STEPS) -> int:
    """How many steps there were."""

    class Counted(Machine):
        """Of which steps are counted from 0."""

    chosen = settings(
        max_examples=examples,
        stateful_step_count=steps,
        deadline=None,
        database=None,
        print_blob=True,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(seed(number)(Counted), settings=chosen)
    return Counted.taken


def main(first: int, count: int) -> None:
    for number in range(first, first + count):
        start = time.perf_counter()
        taken = run_slice(number)
        print(f"seed {number}: {taken:,} steps in {time.perf_counter() - start:,.0f} s, none failed", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 1)
