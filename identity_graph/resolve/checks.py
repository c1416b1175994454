"""Evidence that cannot be is refused before a compiled loop trusts its numbers."""

from __future__ import annotations

from collections.abc import Sequence

from identity_graph.errors import InputError
from identity_graph.kernel import kernel
from identity_graph.tables import EvidenceTable, Int16, Int32, Int64
from identity_graph.times import EARLIEST, LATEST

MOST = 2**31 - 1
"""Identifiers of one resolution, and links: their numbers and places are int32."""

_WRONG = (
    "",
    "is between no two identifiers that there are",
    "is between an identifier and itself, or its ends are not in order",
    "does not come after the one before it, by a, b and source",
    "is of a source that there is not",
    "is of fewer events than one",
    "was first seen after it was last seen, or outside the years 1 to 9999",
)


def check_evidence(n: int, evidence: EvidenceTable, pairs: Sequence[Int32], sources: int) -> None:
    """Raises FRAME_INVALID, which names the first link that is not as `EvidenceTable` says, of n identifiers and so
    many sources; or where an end of the other `pairs` is of nobody. One pass over the links."""
    for many, what in ((n, "identifiers"), (len(evidence), "links")):
        if many > MOST:
            raise InputError("FRAME_INVALID", f"{many:,} {what}", help=f"One resolution takes {MOST:,} at most.")
    columns = (evidence.a, evidence.b, evidence.source, evidence.count, evidence.first_seen, evidence.last_seen)
    if len({len(column) for column in columns}) > 1:
        lengths = ", ".join(f"{len(column):,}" for column in columns)
        raise InputError("FRAME_INVALID", f"the columns of the links are not of one length: {lengths}")
    row, wrong = _first_wrong(*columns, n, sources)
    if wrong:
        raise InputError("FRAME_INVALID", f"link {row:,} {_WRONG[wrong]}")
    for ends in pairs:
        if len(ends) and (ends.min() < 0 or ends.max() >= n):
            raise InputError("FRAME_INVALID", "a pair that is stated is between no two identifiers that there are")


@kernel()
def _first_wrong(
    a: Int32, b: Int32, source: Int16, count: Int32, first: Int64, last: Int64, n: int, sources: int
) -> tuple[int, int]:  # pragma: no cover - compiled
    for i in range(len(a)):
        if a[i] < 0 or b[i] < 0 or a[i] >= n or b[i] >= n:
            return i, 1
        if a[i] >= b[i]:
            return i, 2
        if i > 0 and (a[i - 1], b[i - 1], source[i - 1]) >= (a[i], b[i], source[i]):
            return i, 3
        if source[i] < 0 or source[i] >= sources:
            return i, 4
        if count[i] < 1:
            return i, 5
        if first[i] < EARLIEST or last[i] > LATEST or first[i] > last[i]:
            return i, 6
    return -1, 0
