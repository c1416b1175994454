"""Connected components beside one pass of random reads, and beside SciPy: `python -m bench.components [PEOPLE]`.

500,000 people have 2.4 million links, 5,000,000 have 24 million. The pass reads two words of a column of the graph's
size for each link and does nothing with them, in one thread: what no algorithm can do without. SciPy is given
the same columns and has to make its own matrix of them. Best of five, interleaved; the components must be the same.

With 24 million links the words are in memory, and finding components takes as long as the pass. With 2.4 million they
are 8 MiB, which a large cache holds: there the pass takes 3 nanoseconds a link, and finding components 5.
"""

from __future__ import annotations

import sys

import numpy as np
from numba import njit

from bench.graphs import MID, identity_graph
from bench.races import race, ratio
from identity_graph.resolve.components import components
from identity_graph.tables import Int32


@njit(cache=True)
def gather(words: Int32, a: Int32, b: Int32) -> int:  # pragma: no cover - compiled
    total = 0
    for i in range(len(a)):
        total += words[a[i]] ^ words[b[i]]
    return total


def of_scipy(n: int, a: Int32, b: Int32) -> tuple[int, Int32]:
    from scipy.sparse import csr_matrix
    from scipy.sparse.csgraph import connected_components

    links = csr_matrix((np.ones(len(a), np.int8), (a, b)), shape=(n, n))
    number, label = connected_components(links, directed=False)
    return int(number), label


def same_groups(one: Int32, other: Int32) -> bool:
    """Whether two labellings part the identifiers in the same way."""
    pairs = len(np.unique(one.astype(np.int64) << 32 | other))
    return pairs == len(np.unique(one)) == len(np.unique(other))


def main() -> None:
    people = int(sys.argv[1]) if len(sys.argv) > 1 else MID
    n, a, b = identity_graph(people)
    words = np.random.default_rng(2).permutation(n).astype(np.int32)
    best, found = race(
        {
            "ours": lambda: components(n, a, b),
            "gather": lambda: gather(words, a, b),
            "scipy": lambda: of_scipy(n, a, b),
        }
    )
    number, label = found["scipy"]
    assert same_groups(found["ours"], label)
    largest = np.bincount(found["ours"]).max()
    print(f"components: {len(a):,} links, {n:,} identifiers, {number:,} components, the largest of {largest:,}")
    ratio("components: ours beside a pass of random reads", best["ours"], best["gather"], "bar 1.8, goal 1.5")
    ratio("components: SciPy and its matrix beside ours", best["scipy"], best["ours"], "bar 9, goal 10")


if __name__ == "__main__":
    main()
