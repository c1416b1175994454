"""The links that were kept from joining, as rows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from identity_graph.kernel import kernel
from identity_graph.reasons import STEPS, SUPPRESSED
from identity_graph.resolve.forest import CANNOT, JOINED, Forest
from identity_graph.resolve.naming import VALUE, name_values
from identity_graph.resolve.part import Limits, Part
from identity_graph.resolve.threads import both, halves, second_thread
from identity_graph.tables import Int8, Int16, Int32, Int64, SuppressedTable

_CODES = np.array([SUPPRESSED.index(code) for code in ("LIMIT", "CANNOT_LINK", "QUARANTINED", "OVERSIZED")], np.int8)
_QUARANTINE = STEPS.index("quarantine")
_COLUMNS = ("link", "code", "namespace", "value_a", "value_b", "step")
_SOME = 2**14

NONE = SuppressedTable(
    np.empty(0, np.int64),
    np.empty(0, np.int8),
    np.empty(0, np.int16),
    np.empty(0, np.int32),
    np.empty(0, np.int32),
    np.empty(0, np.int8),
)


@kernel(nogil=True)
def _across(label: Int32, a: Int32, b: Int32, refused: Int16, every: bool) -> Int64:  # pragma: no cover - compiled
    """The links between two groups, all of which were refused where `every` link was to be taken."""
    found, end = np.empty(len(a), np.int64), 0
    for i in range(len(a)):
        found[end] = i
        # a branch that nobody can predict costs more
        end += refused[i] != JOINED if every else label[a[i]] != label[b[i]]
    return found[:end].copy()


def suppressed(part: Part, forest: Forest, limits: Limits, step: Int8) -> SuppressedTable:
    """Links that end in two groups, by row: what was not refused was cut before."""
    at = _across(forest.label, part.a, part.b, forest.refused, len(forest.order) == len(part.a))
    if part.ordered:  # by other ends than the link table
        at = at[np.argsort(part.rows[at])]
    spaces = np.array([*limits.spaces, -1], dtype=np.int16)
    told = part.rows, part.inside, step, _QUARANTINE, _CODES, spaces
    links = forest.refused, part.a, part.b, forest.label
    columns = _columns(at, *told, *links, *name_values(part, forest, limits, at), limits.window)
    return SuppressedTable(*columns)


@kernel(nogil=True)
def _columns(
    at: Int64,
    rows: Int64,
    inside: Int32,
    step: Int8,
    quarantine: int,
    codes: Int8,
    spaces: Int16,
    refused: Int16,
    a: Int32,
    b: Int32,
    label: Int32,
    best: Int64,
    other_a: Int32,
    other_b: Int32,
    window: Int64,
) -> tuple[Int64, Int8, Int16, Int32, Int32, Int8]:  # pragma: no cover - compiled
    link, code, taken = np.empty(len(at), np.int64), np.empty(len(at), np.int8), np.empty(len(at), np.int8)
    namespace, one, two = np.empty(len(at), np.int16), np.empty(len(at), np.int32), np.empty(len(at), np.int32)
    for i in range(len(at)):
        own = at[i]
        why = refused[own]
        link[i], taken[i], namespace[i] = rows[own], step[own], spaces[why if why >= 0 else len(spaces) - 1]
        x, y = np.int64(-1), np.int64(-1)
        if why >= 0 and window[why] < 0:
            x = best[label[a[own]] * len(window) + why] & VALUE
            y = best[label[b[own]] * len(window) + why] & VALUE
        elif len(other_a):
            x, y = np.int64(other_a[i]), np.int64(other_b[i])
        one[i], two[i] = inside[x] if x >= 0 else -1, inside[y] if y >= 0 else -1
        if why >= 0:
            code[i] = codes[0]
        elif why == CANNOT:
            code[i] = codes[1]
        else:
            code[i] = codes[2] if step[own] == quarantine else codes[3]
    return link, code, namespace, one, two, taken


def together(tables: Sequence[SuppressedTable], m: int) -> SuppressedTable:
    """All rows, by link, of which there are m; of each table they are already. 2 threads."""
    begin = np.cumsum([0, *map(len, tables)])
    columns = [np.concatenate([getattr(table, name) for table in tables]) for name in _COLUMNS]
    found = [np.empty_like(column) for column in columns]
    with second_thread(len(columns[0])) as thread:
        both(thread, _merge, *((*half, begin, *columns, *found) for half in halves(m)))
    return SuppressedTable(*found)


@kernel(nogil=True)
def _merge(
    start: int,
    stop: int,
    begin: Int64,
    link: Int64,
    code: Int8,
    namespace: Int16,
    value_a: Int32,
    value_b: Int32,
    step: Int8,
    links: Int64,
    codes: Int8,
    namespaces: Int16,
    values_a: Int32,
    values_b: Int32,
    steps: Int8,
) -> None:  # pragma: no cover - compiled
    """The rows of these links. Some thousand links at a time, so that what is written of them lies together."""
    tables = len(begin) - 1
    at = np.empty(tables, np.int64)
    for table in range(tables):
        at[table] = begin[table] + np.searchsorted(link[begin[table] : begin[table + 1]], start)
    count = np.sum(at - begin[:-1])
    place = np.empty(_SOME, np.int64)
    for low in range(start, stop, _SOME):
        high = min(low + _SOME, stop)
        place[:] = 0
        for table in range(tables):
            row = at[table]
            while row < begin[table + 1] and link[row] < high:
                place[link[row] - low] = 1
                row += 1
        for i in range(high - low):
            place[i], count = count, count + place[i]
        for table in range(tables):
            row = at[table]
            while row < begin[table + 1] and link[row] < high:
                to = place[link[row] - low]
                links[to], codes[to], namespaces[to] = link[row], code[row], namespace[row]
                values_a[to], values_b[to], steps[to] = value_a[row], value_b[row], step[row]
                row += 1
            at[table] = row
