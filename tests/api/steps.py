"""Lines of Python that are run: what does not depend on who else uses the machine, as time does."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any


def steps(work: Callable[[], Any], within: str | None = None, most: int | None = None) -> int:
    """How many lines the work runs, or of these those of one file. Work that needs more than `most` is stopped, for it
    might never end, and fails the test."""
    count = 0

    def trace(frame: FrameType, event: str, _argument: object) -> Any:
        nonlocal count
        if within is not None and frame.f_code.co_filename != within:
            return None
        count += event == "line"
        assert most is None or count <= most, f"more than {most} steps"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        work()
    finally:
        sys.settrace(before)
    return count
