"""One link added or removed, exactly, beside finding all components anew: `python -m bench.corrections [PEOPLE]`.

Links of a large graph are taken out in a random order and put back, each by a call from Python, and each is timed. The
whole run is the best of five. After them all, the components must be those of a whole run over the links that are left.
A bridge between two halves of a path as long as the largest component is timed apart: it is the worst
there is, and such a component is what limits and hub caps are for.
"""

from __future__ import annotations

import sys
import time

import numpy as np

from bench.graphs import MID, identity_graph
from bench.races import race
from identity_graph.resolve.components import components
from identity_graph.resolve.live_components import LiveComponents
from identity_graph.tables import Int32

CHANGES = 70_000
BAR = 1000


def timed(live: LiveComponents, add: bool, a: int, b: int) -> float:
    change = live.add if add else live.remove
    start = time.perf_counter()
    changed = change(a, b)
    taken = time.perf_counter() - start
    assert changed
    return taken


def bridge(n: int) -> float:
    """Seconds to cut a path of n in the middle."""
    place = np.random.default_rng(3).permutation(n).astype(np.int32)
    live = LiveComponents(n, place[:-1], place[1:])
    return timed(live, False, int(place[n // 2 - 1]), int(place[n // 2]))


def links(people: int) -> tuple[int, Int32, Int32]:
    n, a, b = identity_graph(people)
    pairs = np.unique(np.minimum(a, b).astype(np.int64) << 32 | np.maximum(a, b))
    return n, (pairs >> 32).astype(np.int32), pairs.astype(np.int32)


def main() -> None:
    people = int(sys.argv[1]) if len(sys.argv) > 1 else MID
    n, a, b = links(people)
    live = LiveComponents(n, a, b)
    bridge(1000)  # compiles the kernels, once
    dice = np.random.default_rng(2)
    out = dice.choice(len(a), CHANGES, replace=False)
    back = dice.permutation(out)[: CHANGES // 2]
    removed = [timed(live, False, int(a[i]), int(b[i])) for i in out]
    added = [timed(live, True, int(a[i]), int(b[i])) for i in back]
    left = np.ones(len(a), np.bool_)
    left[out] = False
    left[back] = True
    kept_a, kept_b = a[left], b[left]
    best, found = race({"whole": lambda: components(n, kept_a, kept_b)})
    assert np.array_equal(live.labels(), found["whole"])
    print(f"corrections: {len(a):,} links, {n:,} identifiers; a whole run takes {best['whole'] * 1000:.1f} ms")
    for what, taken in (("removing", removed), ("adding", added)):
        half, most = np.percentile(taken, [50, 99])
        ratio = best["whole"] / most
        print(
            f"corrections: {what} a link, a whole run beside its p99: {ratio:,.0f} (bar {BAR:,}; p50 {half * 1e6:.1f},"
            f" p99 {most * 1e6:.1f}, longest {max(taken) * 1e6:,.0f} microseconds)"
        )
    largest = int(np.bincount(found["whole"]).max())
    print(f"corrections: the worst bridge, between halves of {largest:,}, takes {bridge(largest) * 1000:.1f} ms")


if __name__ == "__main__":
    main()
