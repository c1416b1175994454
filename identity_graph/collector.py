"""The collector of cycles, which has nothing to do where millions of objects are made and no cycle among them."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def collector_paused() -> Iterator[None]:
    """Looking for cycles takes a quarter of the time of a load or of a first resolution, and half of that in which
    everybody is read."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()
