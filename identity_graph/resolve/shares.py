"""Identifiers and links dealt to shares of whole components: work on one share stays in the nearer cache."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from identity_graph.kernel import kernel
from identity_graph.resolve.members import Members
from identity_graph.resolve.prefetch import prefetch
from identity_graph.resolve.threads import both, halves, second_thread
from identity_graph.tables import Bool, Float64, Int8, Int16, Int32, Int64, LinkTable, read_only

UInt16 = npt.NDArray[np.uint16]
UInt32 = npt.NDArray[np.uint32]
Pairs = tuple[Int32, Int32]

DIGITS = 10**12
"""Weights are compared by their first twelve digits."""

WHOLE, KEY = 40, 32
"""Bits of a weight's digits, and of a key, which are the first of them."""

_SHARE = 2**15  # identifiers: with their links, about a megabyte
_MOST = 2**9  # shares of so many, where there are more: so many places to write to have their addresses at hand
_BLOCK = 10  # bits: of so many numbers, a block, all are of one share
_CHUNK = 9  # bits: so many links of a share lie together
_APART = 16 * 5  # a cache line holds 16 numbers
_TILE = 512  # links that are looked up before any of them is dealt


@dataclass(frozen=True, slots=True)
class Share:
    """Whole components of one `kind`. `inside` int32[k] are their identifiers, ascending, whom the share numbers anew
    by that, `namespace` int16[k] theirs; `cannot` are pairs of them, by new numbers. Links lie in chunks, of either
    thread: the place of the first link, and after the last one."""

    kind: int
    inside: Int32
    namespace: Int16
    cannot: Pairs
    base: int
    begin: Int64
    end: Int64
    dealt: Int64
    following: Int64

    def links(self) -> tuple[Int64, Int32, Int32, UInt32]:
        """By row: rows of the link table, int64[m]; both ends, int32[m]; and keys, uint32[m], by which a smaller one
        comes first in the order of precedence."""
        pieces = _pieces(self.following, self.begin, self.end)
        m = int((pieces[:, 1] - pieces[:, 0]).sum())
        rows, key = np.empty(m, np.int64), np.empty(m, np.uint32)
        a, b = np.empty((2, m), np.int32)
        _gathered(self.dealt, pieces, self.base, rows, a, b, key)
        return rows, a, b, key


def deal(
    label: Int32,
    namespace: Int16,
    members: Members,
    kind: Int8,
    links: LinkTable,
    kept: Bool,
    cannot: Pairs,
    *,
    newest: bool,
) -> list[Share]:
    """The components of `members`, each of a `kind` int8[c], with their `kept` links and their pairs; the largest share
    first. Both ends of a kept link have one label.

    A share has at most `_SHARE` identifiers, or is one component. Keys are of times where `newest`, else of weights.
    2 threads: each reads a half of the rows, and writes its own places. O(n + links).
    """
    n, m = len(label), len(links)
    of, many, kinds = _plan(kind, members.many.sum(axis=0), max(_SHARE, n // _MOST))  # share 0 is of nobody
    count = len(many)
    # At whole blocks and chunks all shares would write to one set of the cache.
    shift_by = np.arange(count) * _APART
    blank = shift_by % (1 << _BLOCK)
    block = np.repeat(np.arange(count), -(-(many + blank) >> _BLOCK) + (many == 0)).astype(np.uint16)
    base = (np.searchsorted(block, np.arange(count)) << _BLOCK) + blank
    number, inside = np.zeros(n, np.int32), np.empty(len(block) << _BLOCK, np.int32)
    spaces = np.empty(len(inside), np.int16)
    chunks = 2 * count + (m >> _CHUNK) + 1  # of a thread
    dealt, following = np.empty((2 * chunks << _CHUNK, 2), np.int64), np.empty(2 * chunks, np.int64)
    begin = (np.arange(count) + np.array([[0], [chunks]]) << _CHUNK) + shift_by % (1 << _CHUNK)
    end, newest_time, shift = begin.copy(), *_times(links, newest)
    with second_thread(n + m) as thread:
        middle = base + np.bincount(of, members.many[0], minlength=count).astype(np.int64)
        own, out = (read_only(namespace), of), (number, inside, spaces)
        parts = zip(members.who, members.component, (base.copy(), middle), strict=True)
        both(thread, _deal_identifiers, *((*part, *own, *out) for part in parts))
        ends, worth = (read_only(links.a), read_only(links.b)), (read_only(links.weight), read_only(links.last_seen))
        columns = *ends, read_only(kept), *worth, newest, newest_time, shift
        found = read_only(number), read_only(block)
        both(
            thread,
            _deal_links,
            *((*columns, *found, *half, end[t], dealt, following, t * chunks) for t, half in enumerate(halves(m))),
        )
    pairs = _dealt_pairs(label, cannot, number, block, base)
    shares = []
    for s in (np.argsort(-many[1:], kind="stable") + 1).tolist():
        at = slice(base[s], base[s] + many[s])
        mine = inside[at], spaces[at], pairs[s], int(base[s])
        shares.append(Share(int(kinds[s]), *mine, begin[:, s].copy(), end[:, s].copy(), dealt, following))
    return shares


def _times(links: LinkTable, newest: bool) -> tuple[int, int]:
    """The newest, and by how many bits the time before it is shifted to be a key."""
    if not newest or not len(links):
        return 0, 0
    last = int(links.last_seen.max())
    return last, max(0, (last - int(links.last_seen.min())).bit_length() - KEY)


def _dealt_pairs(label: Int32, cannot: Pairs, number: Int32, block: UInt16, base: Int64) -> list[Pairs]:
    one, other = cannot
    held = (label[one] == label[other]) & (number[one] > 0)
    one, other = number[one[held]], number[other[held]]
    of = block[one >> _BLOCK]
    order = np.argsort(of, kind="stable")
    start = np.searchsorted(of[order], np.arange(len(base) + 1))
    parts = (order[start[s] : start[s + 1]] for s in range(len(base)))
    return [
        ((one[at] - base[s]).astype(np.int32), (other[at] - base[s]).astype(np.int32)) for s, at in enumerate(parts)
    ]


@kernel(nogil=True)
def _plan(kind: Int8, size: Int64, most: int) -> tuple[UInt16, Int64, Int64]:  # pragma: no cover - compiled
    """The share of each component; how many identifiers each share has, and its kind. Share 0 has nobody."""
    of, room = np.empty(len(kind), np.uint16), len(kind) + 1
    many, kinds, open, count = np.zeros(room, np.int64), np.zeros(room, np.int64), np.zeros(128, np.int64), 1
    for x in range(len(kind)):
        own = kind[x]
        share = open[own]
        if share == 0 or many[share] + size[x] > most:
            share, count = count, count + 1
            kinds[share] = own
            if size[x] <= most:
                open[own] = share
        many[share] += size[x]
        of[x] = share
    return of, many[:count], kinds[:count]


@kernel(nogil=True)
def _deal_identifiers(
    who: Int32,
    component: Int32,
    place: Int64,
    namespace: Int16,
    of: UInt16,
    number: Int32,
    inside: Int32,
    spaces: Int16,
) -> None:  # pragma: no cover - compiled
    """Each to the next place of the share of its component."""
    place = place.copy()  # near what the other thread writes, a word takes many times longer to write
    for i in range(len(who)):
        x, share = np.uint32(who[i]), of[np.uint32(component[i])]
        at = np.uint64(place[share])
        number[x], inside[at], spaces[at] = at, x, namespace[x]
        place[share] += 1


@kernel(nogil=True)
def _deal_links(
    a: Int32,
    b: Int32,
    kept: Bool,
    weight: Float64,
    last_seen: Int64,
    newest: bool,
    newest_time: int,
    shift: int,
    number: Int32,
    block: UInt16,
    start: int,
    stop: int,
    place: Int64,
    dealt: Int64,
    following: Int64,
    chunk: int,
) -> None:  # pragma: no cover - compiled
    """Write links as (a | b << 32, row | key << 32) where those of their share go on: in its chunk, of which each has
    one already from `chunk` on, or in the next one that is free. Other ends are looked up for those alone that are of
    some share, which are asked for a tile at a time."""
    free, row, next = chunk + len(place), np.empty(_TILE + 1, np.int64), place.copy()
    for low in range(start, stop, _TILE):
        count = 0
        for i in range(low, min(low + _TILE, stop)):
            row[count] = i
            count += (number[np.uint32(a[i])] != 0) & kept[i]  # a branch that nobody can predict costs more
        for j in range(count):
            prefetch(number, np.intp(b[row[j]]))
        for j in range(count):
            link = np.uint64(row[j])
            one, two = number[np.uint32(a[link])], number[np.uint32(b[link])]
            own = block[np.uint32(one) >> np.uint32(_BLOCK)]
            if newest:
                key = newest_time - last_seen[link] >> shift
            else:
                key = min(max(int(np.rint(weight[link] * -DIGITS)) + DIGITS, 0), 2**WHOLE - 1) >> WHOLE - KEY
            at = next[own]
            dealt[at, 0], dealt[at, 1] = np.int64(one) | np.int64(two) << 32, row[j] | key << 32
            at += 1
            if at & (1 << _CHUNK) - 1 == 0:
                following[at - 1 >> _CHUNK] = free
                at = free << _CHUNK
                free += 1
            next[own] = at
    place[:] = next


@kernel(nogil=True)
def _pieces(following: Int64, begin: Int64, end: Int64) -> Int64:  # pragma: no cover - compiled
    """Where links that lie together begin and end, int64[pieces, 2]."""
    found = np.empty((len(following) + 2, 2), np.int64)
    count = 0
    for thread in range(len(begin)):
        at, last = begin[thread], end[thread] >> _CHUNK
        while at >> _CHUNK != last:
            found[count] = at, (at >> _CHUNK) + 1 << _CHUNK
            at = following[at >> _CHUNK] << _CHUNK
            count += 1
        found[count] = at, end[thread]
        count += 1
    return found[:count].copy()


@kernel(nogil=True)
def _gathered(
    dealt: Int64, pieces: Int64, base: int, rows: Int64, a: Int32, b: Int32, key: UInt32
) -> None:  # pragma: no cover - compiled
    mask, i = np.int64(0xFFFFFFFF), np.uint64(0)
    for piece in range(len(pieces)):
        for k in range(pieces[piece, 0], pieces[piece, 1]):
            ends, row = dealt[np.uint64(k), 0], dealt[np.uint64(k), 1]
            a[i], b[i] = (ends & mask) - base, (ends >> 32) - base
            rows[i], key[i] = row & mask, row >> 32 & mask
            i += np.uint64(1)
