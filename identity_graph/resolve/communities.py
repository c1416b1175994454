"""Dense parts of a component: the Leiden algorithm, without chance."""

from __future__ import annotations

import numpy as np

from identity_graph.kernel import kernel
from identity_graph.tables import Float64, Int32, Int64


def communities(n: int, a: Int32, b: Int32, weight: Float64) -> Int32:
    """A community for each of n identifiers, int32[n], numbered from 0, by m links of which no pair is there twice.

    Leiden (Traag, Waltman and van Eck 2019) for modularity: identifiers move to the community that gains most, parts of
    a community that hang together are contracted, and again. Where the original draws lots this takes the first: by
    number, the greatest gain. So equal input in the same numbering gives equal output. O(m) a level, of which there are
    about log n.

    >>> a, b = np.array([0, 0, 1, 2, 3, 3, 4], np.int32), np.array([1, 2, 2, 3, 4, 5, 5], np.int32)
    >>> communities(6, a, b, np.ones(7)).tolist()
    [0, 0, 0, 1, 1, 1]
    """
    member = np.arange(n, dtype=np.int64)
    start, other, strength = _rows(n, np.r_[a, b].astype(np.int64), np.r_[b, a].astype(np.int64), np.r_[weight, weight])
    drawn: Float64 = np.bincount(np.repeat(np.arange(n), np.diff(start)), strength, minlength=n).astype(np.float64)
    community = np.arange(n, dtype=np.int64)
    total = float(drawn.sum())
    while total > 0:
        _move(start, other, strength, drawn, community, total)
        refined: Int64 = _refine(start, other, strength, drawn, community, total)
        names, part = np.unique(refined, return_inverse=True)
        if len(names) == len(community):  # nothing hangs together better: contract the communities themselves
            names, part = np.unique(community, return_inverse=True)
        k = len(names)
        if k == len(community):
            break
        owner = np.repeat(part, np.diff(start))
        above = np.zeros(k, dtype=np.int64)
        above[part] = community
        # A contracted community is called by the smallest of its parts.
        least = np.full(len(community), k, dtype=np.int64)
        np.minimum.at(least, above, np.arange(k))
        start, other, strength = _rows(k, owner, part[other], strength)
        drawn = np.bincount(part, drawn, minlength=k).astype(np.float64)
        community = least[above]
        member = part[member]
    return np.unique(community[member], return_inverse=True)[1].astype(np.int32)


def _rows(n: int, one: Int64, other: Int64, weight: Float64) -> tuple[Int64, Int64, Float64]:
    """Links by their first end, from `start[x]` to `start[x + 1]`: those of one pair added up, loops left out."""
    apart = one != other
    one, other, weight = one[apart], other[apart], weight[apart]
    order = np.lexsort((other, one))
    one, other, weight = one[order], other[order], weight[order]
    first = np.flatnonzero(np.r_[True, (one[1:] != one[:-1]) | (other[1:] != other[:-1])]) if len(one) else order
    weight = np.add.reduceat(weight, first) if len(first) else weight
    start = np.r_[0, np.cumsum(np.bincount(one[first], minlength=n))].astype(np.int64)
    return start, other[first], weight


@kernel()
def _move(
    start: Int64, other: Int64, strength: Float64, drawn: Float64, community: Int64, total: float
) -> None:  # pragma: no cover - compiled
    """Let each go where modularity gains most, and look again at the neighbours of who went."""
    n = len(community)
    held = np.zeros(n)
    empty = np.zeros(n, np.int64)  # how many are in each
    for x in range(n):
        held[community[x]] += drawn[x]
        empty[community[x]] += 1
    queue, waits = np.arange(n), np.ones(n, np.bool_)
    begin, waiting = 0, n
    toward, touched = np.zeros(n), np.empty(n, np.int64)
    while waiting:
        x = queue[begin]
        begin = (begin + 1) % n
        waiting -= 1
        waits[x] = False
        own, count = community[x], 0
        for i in range(start[x], start[x + 1]):
            c = community[other[i]]
            if toward[c] == 0:
                touched[count] = c
                count += 1
            toward[c] += strength[i]
        held[own] -= drawn[x]
        best, most = own, toward[own] - drawn[x] * held[own] / total
        for i in range(count):
            gain = toward[touched[i]] - drawn[x] * held[touched[i]] / total
            if gain > most + 1e-12 * total:
                best, most = touched[i], gain
        for i in range(count):
            toward[touched[i]] = 0
        held[best] += drawn[x]
        if best == own:
            continue
        community[x] = best
        for i in range(start[x], start[x + 1]):
            y = other[i]
            if community[y] != best and not waits[y]:
                waits[y] = True
                queue[(begin + waiting) % n] = y
                waiting += 1


@kernel()
def _refine(
    start: Int64, other: Int64, strength: Float64, drawn: Float64, community: Int64, total: float
) -> Int64:  # pragma: no cover - compiled
    """Parts of communities: who is well connected within its community and still alone joins the part of it that gains
    most, if that is well connected too."""
    n = len(community)
    whole = np.zeros(n)
    for x in range(n):
        whole[community[x]] += drawn[x]
    part = np.arange(n)
    held, alone = drawn.copy(), np.ones(n, np.bool_)
    outward = np.zeros(n)  # of each part: what leads to the rest of its community
    for x in range(n):
        for i in range(start[x], start[x + 1]):
            if community[other[i]] == community[x]:
                outward[x] += strength[i]
    toward, touched = np.zeros(n), np.empty(n, np.int64)
    for x in range(n):
        c = community[x]
        if not alone[x] or outward[x] < drawn[x] * (whole[c] - drawn[x]) / total:
            continue
        count = 0
        for i in range(start[x], start[x + 1]):
            if community[other[i]] == c:
                p = part[other[i]]
                if toward[p] == 0:
                    touched[count] = p
                    count += 1
                toward[p] += strength[i]
        best, most = x, 0.0
        for i in range(count):
            p = touched[i]
            gain = toward[p] - drawn[x] * held[p] / total
            if gain > most and outward[p] >= held[p] * (whole[c] - held[p]) / total:
                best, most = p, gain
        if best != x:
            outward[best] += outward[x] - 2 * toward[best]
            held[best] += drawn[x]
            part[x] = best
            alone[best] = False
        for i in range(count):
            toward[touched[i]] = 0
    return part
