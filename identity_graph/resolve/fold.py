"""Observations to links: which identifiers were seen in one event, how often, when and by whom."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from identity_graph.errors import InputError
from identity_graph.kernel import kernel
from identity_graph.tables import EvidenceTable, Int16, Int32, Int64, read_only

UInt64 = npt.NDArray[np.uint64]
Columns = tuple[Int32, Int32, Int16, Int32, Int64, Int64]
Seen = tuple[Int64, Int32, Int64]
"""The events and identifiers of observations; their rows in order of both, or empty where they are in order."""

Apart = tuple[Int64, Int32, Int32]
"""Events, and of each two dense identifiers that it keeps apart, the smaller one first."""

NOBODY: Apart = (np.empty(0, np.int64), np.empty(0, np.int32), np.empty(0, np.int32))

_LOW = np.uint64(32)  # a pair is (its higher identifier << 32 | the row of its event), at the place of its lower one
_MOST = 2**31 - 1  # events of a link
_FEW = 32  # so many pairs are sorted by moving each to its place,
_MANY = 2**10  # and more than so many by NumPy, which is never slow, whatever the order was


def fold(
    event: Int64,
    identifier: Int32,
    time: Int64,
    source: Int16,
    *,
    namespace: Int16,
    namespaces: Sequence[str],
    values: Sequence[str],
    priority: Int32,
    pairwise_up_to: int,
    apart: Apart = NOBODY,
) -> EvidenceTable:
    """Links of dense identifiers from m observations in any order; an observation that is there twice counts once.

    An event of up to `pairwise_up_to` identifiers links every two of them; a larger one links each to its best
    identifier (by `priority` of its namespace, then the smaller value, then the smaller name of the namespace), so that
    the number of links stays linear. Two that it keeps apart, of k rows in any order, it does not link. `priority` and
    `namespaces`, their names, are by namespace. Raises FRAME_INVALID.

    Pairs are dealt to their lower identifiers by counting, and sorted there, in place: 8 bytes a pair and an identifier
    besides the links, 24 an observation before that where they are not in order of event and identifier.

    >>> links = fold(
    ...     np.array([7, 7, 7]), np.array([0, 1, 2], np.int32), np.array([5, 5, 5]), np.zeros(3, np.int16),
    ...     namespace=np.zeros(3, np.int16), namespaces=["email"], values=["a", "b", "c"],
    ...     priority=np.ones(1, np.int32), pairwise_up_to=8)
    >>> list(zip(links.a.tolist(), links.b.tolist(), strict=True))
    [(0, 1), (0, 2), (1, 2)]
    """
    _check(len(namespace), source, identifier)
    event, identifier, time, source = read_only(event), read_only(identifier), read_only(time), read_only(source)
    in_order = _in_order(event, identifier)
    seen = event, identifier, np.empty(0, np.int64) if in_order else np.lexsort((identifier, event))
    centres = [
        min(own.tolist(), key=lambda x: (priority[namespace[x]], values[x], namespaces[int(namespace[x])]))
        for own in _large_events(seen, pairwise_up_to)
    ]
    own = np.empty(min(pairwise_up_to, len(event)), np.int32)
    order = np.argsort(apart[0], kind="stable")
    told = (read_only(apart[0][order]), read_only(apart[1][order]), read_only(apart[2][order]))
    place, pairs = np.zeros(len(namespace) + 1, np.int64), np.empty(0, np.uint64)
    _deal(seen, own, np.array(centres, np.int32), told, place, pairs)
    np.cumsum(place, out=place)
    pairs = np.empty(place[-1], np.uint64)
    _deal(seen, own, np.array(centres, np.int32), told, place, pairs)
    del seen
    return _links(pairs, place, source, read_only(np.empty(0, np.int32)), time, time)


def _check(n: int, source: Int16, *ends: Int32) -> None:
    """Compiled loops trust what they are given."""
    if len(source) >= 2**32:
        raise InputError("FRAME_INVALID", f"{len(source):,} rows", help=f"At most {2**32 - 1:,} at once.")
    if len(source) and (source.min() < 0 or any(end.min() < 0 or end.max() >= n for end in ends)):
        raise InputError("FRAME_INVALID", "a row is of an identifier or of a source that there is not")


def _large_events(seen: Seen, most: int) -> Iterator[Int32]:
    """The identifiers of each event that has more of them."""
    _, identifier, order = seen
    start, stop = _next_large(seen, most, 0)
    while stop:
        yield np.unique(identifier[order[start:stop]] if len(order) else identifier[start:stop])
        start, stop = _next_large(seen, most, stop)


def _links(pairs: UInt64, place: Int64, source: Int16, count: Int32, first: Int64, last: Int64) -> EvidenceTable:
    for x in np.flatnonzero(np.diff(place) > _MANY).tolist():
        pairs[place[x] : place[x + 1]].sort()
    _sort(pairs, place)
    number = _gather(pairs, place, source, count, first, last, _columns(_room(0)))
    links = _room(number)
    _gather(pairs, place, source, count, first, last, _columns(links))
    return links


def _room(links: int) -> EvidenceTable:
    return EvidenceTable(
        a=np.empty(links, np.int32),
        b=np.empty(links, np.int32),
        source=np.empty(links, np.int16),
        count=np.empty(links, np.int32),
        first_seen=np.empty(links, np.int64),
        last_seen=np.empty(links, np.int64),
    )


@kernel()
def _in_order(event: Int64, identifier: Int32) -> bool:  # pragma: no cover - compiled
    """By event, then identifier, as stores give them; an observation may be there twice."""
    for i in range(1, len(event)):
        if event[i] < event[i - 1] or (event[i] == event[i - 1] and identifier[i] < identifier[i - 1]):
            return False
    return True


@kernel()
def _next_event(seen: Seen, start: int, own: Int32) -> tuple[int, int]:  # pragma: no cover - compiled
    """Where the event that begins at `start` ends, and how many identifiers it has: the first of them go to `own`."""
    event, identifier, order = seen
    stop, count, before = start, 0, -1
    while stop < len(event):
        row = order[stop] if len(order) else stop
        if stop == start:
            number = event[row]
        elif event[row] != number:
            break
        if identifier[row] != before:
            before = identifier[row]
            if count < len(own):
                own[count] = before
            count += 1
        stop += 1
    return stop, count


@kernel()
def _next_large(seen: Seen, most: int, start: int) -> tuple[int, int]:  # pragma: no cover - compiled
    own = np.empty(0, np.int32)
    while start < len(seen[0]):
        stop, count = _next_event(seen, start, own)
        if count > most:
            return start, stop
        start = stop
    return start, 0


@kernel()
def _deal(
    seen: Seen, own: Int32, centres: Int32, told: Apart, place: Int64, pairs: UInt64
) -> None:  # pragma: no cover - compiled
    """Without room for pairs count them, in the place of their lower identifier. Once places are where the pairs of an
    identifier end, write them, after which places are where they begin."""
    event, identifier, order = seen
    step = -1 if len(pairs) else 1
    start, large, first, behind = 0, 0, 0, 0
    while start < len(identifier):
        stop, count = _next_event(seen, start, own)
        row = order[start] if len(order) else start
        first, behind = _next_told(told[0], behind, event[row])
        if count <= len(own):
            for i in range(count):
                for j in range(i + 1, count):
                    if not _is_told(told, first, behind, own[i], own[j]):
                        _put(own[i], own[j], row, step, place, pairs)
        else:
            centre, before = centres[large], -1
            large += 1
            for i in range(start, stop):
                other = identifier[order[i] if len(order) else i]
                low, high = min(centre, other), max(centre, other)
                if other != before and other != centre and not _is_told(told, first, behind, low, high):
                    _put(low, high, row, step, place, pairs)
                before = other
        start = stop


@kernel()
def _next_told(events: Int64, at: int, event: int) -> tuple[int, int]:  # pragma: no cover - compiled
    """Where the rows of this event begin and end; those before `at` are of events before it."""
    while at < len(events) and events[at] < event:
        at += 1
    behind = at
    while behind < len(events) and events[behind] == event:
        behind += 1
    return at, behind


@kernel()
def _is_told(told: Apart, first: int, behind: int, a: int, b: int) -> bool:  # pragma: no cover - compiled
    found = False
    for i in range(first, behind):
        found |= told[1][i] == a and told[2][i] == b
    return found


@kernel()
def _put(a: int, b: int, row: int, step: int, place: Int64, pairs: UInt64) -> None:  # pragma: no cover - compiled
    place[a] += step
    if step < 0:
        pairs[place[a]] = (np.uint64(b) << _LOW) | np.uint64(row)


@kernel()
def _sort(pairs: UInt64, place: Int64) -> None:  # pragma: no cover - compiled
    for x in range(len(place) - 1):
        own = pairs[place[x] : place[x + 1]]
        if _FEW < len(own) <= _MANY:
            own.sort()
        elif len(own) <= _FEW:
            for i in range(1, len(own)):
                pair, j = own[i], i
                while j > 0 and own[j - 1] > pair:
                    own[j] = own[j - 1]
                    j -= 1
                own[j] = pair


@kernel()
def _gather(
    pairs: UInt64, place: Int64, source: Int16, count: Int32, first: Int64, last: Int64, links: Columns
) -> int:  # pragma: no cover - compiled
    """How many links there are; they are written where there is room for them. Without counts each row counts once."""
    a, b, by, counted, first_seen, last_seen = links
    sources = max(source) + 1 if len(source) else 0
    times, earliest, latest = np.zeros(sources, np.int64), np.empty(sources, np.int64), np.empty(sources, np.int64)
    here = np.empty(sources, np.int16)
    found = 0
    for x in range(len(place) - 1):
        at, stop = place[x], place[x + 1]
        while at < stop:
            other, used = pairs[at] >> _LOW, 0
            while at < stop and pairs[at] >> _LOW == other:
                row = np.intp(np.uint32(pairs[at]))
                one = source[row]
                if times[one] == 0:
                    here[used], earliest[one], latest[one] = one, first[row], last[row]
                    used += 1
                times[one] += count[row] if len(count) else 1
                earliest[one], latest[one] = min(earliest[one], first[row]), max(latest[one], last[row])
                at += 1
            if used > 1:
                here[:used].sort()
            for one in here[:used]:
                if len(a):
                    a[found], b[found], by[found], counted[found] = x, other, one, min(times[one], _MOST)
                    first_seen[found], last_seen[found] = earliest[one], latest[one]
                times[one] = 0
                found += 1
    return found


def merge(tables: Sequence[EvidenceTable]) -> EvidenceTable:
    """One table of several, in any order and with any repeats; what is of one pair and source is counted together."""
    if not tables:
        return _room(0)
    return merge_rows(*(np.concatenate(each) for each in zip(*map(_columns, tables), strict=True)))


def merge_rows(a: Int32, b: Int32, source: Int16, count: Int32, first: Int64, last: Int64) -> EvidenceTable:
    """Links of rows in any order, their ends too, with any repeats; one of an identifier with itself is left out.

    A count stops at the most that there is room for. As many bytes besides the links as in `fold`. Raises
    FRAME_INVALID.
    """
    n = int(max(a.max(initial=-1), b.max(initial=-1))) + 1
    _check(n, source, a, b)
    a, b, source, count = read_only(a), read_only(b), read_only(source), read_only(count)
    place, pairs = np.zeros(n + 1, np.int64), np.empty(0, np.uint64)
    _deal_rows(a, b, place, pairs)
    np.cumsum(place, out=place)
    pairs = np.empty(place[-1], np.uint64)
    _deal_rows(a, b, place, pairs)
    return _links(pairs, place, source, count, read_only(first), read_only(last))


@kernel()
def _deal_rows(a: Int32, b: Int32, place: Int64, pairs: UInt64) -> None:  # pragma: no cover - compiled
    """As `_deal`, of links."""
    step = -1 if len(pairs) else 1
    for row in range(len(a)):
        if a[row] != b[row]:
            _put(min(a[row], b[row]), max(a[row], b[row]), row, step, place, pairs)


def _columns(table: EvidenceTable) -> Columns:
    return table.a, table.b, table.source, table.count, table.first_seen, table.last_seen
