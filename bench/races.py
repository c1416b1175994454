"""Contestants that take turns: the fair way to compare on a machine with neighbours."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

ROUNDS = 5


def race(contestants: Mapping[str, Callable[[], Any]], rounds: int = ROUNDS) -> tuple[dict[str, float], dict[str, Any]]:
    """Each one's best seconds, and what it last returned. All warm up once, untimed; then they run in turns, every
    other round backwards, so that none always finds the caches as one and the same other left them."""
    best = dict.fromkeys(contestants, float("inf"))
    found = {name: run() for name, run in contestants.items()}
    for number in range(rounds):
        for name, run in list(contestants.items())[:: -1 if number % 2 else 1]:
            start = time.perf_counter()
            found[name] = run()
            best[name] = min(best[name], time.perf_counter() - start)
    return best, found


def ratio(what: str, of: float, to: float, bar: str) -> None:
    print(f"{what}: {of / to:.2f} ({bar}; {of * 1000:,.1f} and {to * 1000:,.1f} ms)")
