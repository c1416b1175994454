"""Similar links of a resolution as rows of a store, and back."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from identity_graph.resolve.similar_links import SimilarLinks
from identity_graph.store.protocols import SimilarRow
from identity_graph.tables import Int32, Int64


def to_rows(links: SimilarLinks, number: Int64) -> list[SimilarRow]:
    """`number` int64[n] gives the store's number of each dense identifier, ascending."""
    columns = (number[links.a], number[links.b], links.weight, links.last_seen)
    cuts, shared = links.start.tolist(), number[links.shared].tolist()
    of = [tuple(shared[start:end]) for start, end in pairwise(cuts)]
    return [SimilarRow._make(row) for row in zip(*(column.tolist() for column in columns), of, strict=True)]


def of_rows(rows: Sequence[SimilarRow], number: Int64) -> SimilarLinks:
    """Rows in order, each once; whatever they name is in `number`."""

    def dense(numbers: Sequence[int]) -> Int32:
        return np.searchsorted(number, np.array(numbers, dtype=np.int64)).astype(np.int32)

    return SimilarLinks(
        dense([row.a for row in rows]),
        dense([row.b for row in rows]),
        np.array([row.weight for row in rows], dtype=np.float64),
        np.array([row.last_seen for row in rows], dtype=np.int64),
        np.cumsum([0, *(len(row.shared) for row in rows)], dtype=np.int64),
        dense([one for row in rows for one in row.shared]),
    )
