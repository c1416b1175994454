"""How similar two identifiers are, by the neighbours that they share."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from identity_graph.kernel import kernel
from identity_graph.resolve.incidence import Incidence
from identity_graph.resolve.threads import both
from identity_graph.tables import Bool, Float64, Int32, Int64

JACCARD, OVERLAP, COSINE = 0, 1, 2
MEASURES = {"jaccard": JACCARD, "overlap": OVERLAP, "cosine": COSINE}

_DIGITS = 1e12  # scores are rounded to 12 digits, as weights are
_SLACK = 1 - 1e-9
_FOUND = 2**17  # the most rows that a thread finds before it takes the next identifiers

Rows = tuple[Int32, Int32, Float64]


@dataclass(frozen=True, slots=True)
class SimilarTable:
    """r pairs of similar identifiers, sorted, none twice: `a`, `b` int32 with a < b, `score` float64 in 0..1."""

    a: Int32
    b: Int32
    score: Float64

    def __len__(self) -> int:
        return len(self.a)


def similar(
    incidence: Incidence,
    *,
    measure: str,
    least: float,
    top_k: int,
    degrees: tuple[int, int] = (1, 2**31 - 1),
    weighted: bool = True,
) -> SimilarTable:
    """The pairs with a score of at least `least`, and above 0, that are among the `top_k` best of either one.

    With A and B the neighbours of two identifiers and w(S) the sum of their weights:

        jaccard  w(A & B) / w(A | B)       overlap  w(A & B) / min(w(A), w(B))
        cosine   w2(A & B) / sqrt(w2(A) * w2(B)), where w2 sums squares

    A neighbour shared by d identifiers weighs 1 / log(1 + d): the rarer, the more it says (after Adamic and Adar,
    Friends and neighbors on the Web, 2003, whose 1 / log(d) is endless for d = 1); with `weighted=False` it weighs 1.
    Identifiers with fewer or more neighbours than `degrees` take no part. Of equal scores the identifier of the lower
    rank is better. With `weighted=False` that is `gds.nodeSimilarity` with similarityCutoff, topK, degreeCutoff and
    upperDegreeCutoff on a graph without the neighbours of too many; the weights there give the weighted scores.

    Only those that share one of their rarest neighbours are compared: so many that the others cannot make up for it
    (prefix filtering: Bayardo, Ma, Srikant, Scaling up all pairs similarity search, 2007). In the worst case, with
    `least` 0, that is the sum of squares of `shared_by`. 2 threads; 8 bytes a row of the incidence, 24 an identifier.

    >>> cookie, ip = np.array([[0, 7], [0, 8], [1, 7], [1, 8], [2, 8], [2, 9]], np.int32).T
    >>> found = similar(Incidence.of(cookie, ip, most=10), measure="jaccard", least=0.3, top_k=2, weighted=False)
    >>> list(zip(found.a.tolist(), found.b.tolist(), found.score.round(2).tolist(), strict=True))
    [(0, 1, 1.0), (0, 2, 0.33), (1, 2, 0.33)]
    """
    kind, n = MEASURES[measure], len(incidence)
    top_k = max(1, min(top_k, n))
    weight = 1 / np.log1p(incidence.shared_by) if weighted else np.ones(len(incidence.neighbour))
    if kind == COSINE:
        weight *= weight
    degree = np.diff(incidence.start)
    taking = (degree >= degrees[0]) & (degree <= degrees[1])
    needed = (least**2 if kind == COSINE else least) * _SLACK
    whole, prefix = _weigh(incidence.start, incidence.seen, weight, taking, needed)
    begin, half, seen_by = _invert(incidence.start, incidence.seen, prefix, taking, len(weight))
    columns = (incidence.start, incidence.seen, weight, whole, prefix, begin, half, seen_by)
    step = max(1, _FOUND // top_k)
    ranges = iter(range(0, n, step))  # each thread takes the next one

    def search() -> list[Rows]:
        met = np.full(n, -1, np.int32)
        return [_search(*columns, kind, least, needed, top_k, met, at, min(at + step, n)) for at in ranges]

    with ThreadPoolExecutor(1) as thread:
        found = both(thread, search, (), ())
    none: Rows = (np.empty(0, np.int32), np.empty(0, np.int32), np.empty(0))
    one, other, score = (np.concatenate(column) for column in zip(none, *found[0], *found[1], strict=True))
    one, other = incidence.identifier[one], incidence.identifier[other]
    pairs, rows = np.unique(np.minimum(one, other).astype(np.int64) << 32 | np.maximum(one, other), return_index=True)
    return SimilarTable((pairs >> 32).astype(np.int32), pairs.astype(np.int32), score[rows])


@kernel()
def _weigh(
    start: Int64, seen: Int32, weight: Float64, taking: Bool, needed: float
) -> tuple[Float64, Int32]:  # pragma: no cover - compiled
    """Each identifier's whole weight, and how many of its rarest neighbours leave less than `needed` of it."""
    n = len(start) - 1
    whole, prefix = np.zeros(n), np.zeros(n, np.int32)
    for x in range(n):
        if not taking[x]:
            continue
        for i in range(start[x], start[x + 1]):
            whole[x] += weight[seen[i]]
        rest, i = 0.0, start[x + 1]
        while i > start[x] and rest + weight[seen[i - 1]] < needed * whole[x]:
            i -= 1
            rest += weight[seen[i]]
        prefix[x] = i - start[x]
    return whole, prefix


@kernel()
def _invert(
    start: Int64, seen: Int32, prefix: Int32, taking: Bool, neighbours: int
) -> tuple[Int64, Int64, Int32]:  # pragma: no cover - compiled
    """Who saw each neighbour: first, up to `half`, those of whose prefix it is."""
    begin, half = np.zeros(neighbours + 1, np.int64), np.zeros(neighbours, np.int64)
    for x in range(len(prefix)):
        if taking[x]:
            for i in range(start[x], start[x + 1]):
                begin[seen[i] + 1] += 1
                half[seen[i]] += i - start[x] < prefix[x]
    begin = np.cumsum(begin)
    half += begin[:-1]
    early, late = begin[:-1].copy(), half.copy()
    seen_by = np.empty(begin[-1], np.int32)
    for x in range(len(prefix)):
        if taking[x]:
            for i in range(start[x], start[x + 1]):
                place = early if i - start[x] < prefix[x] else late
                seen_by[place[seen[i]]] = x
                place[seen[i]] += 1
    return begin, half, seen_by


@kernel(nogil=True)
def _search(
    start: Int64,
    seen: Int32,
    weight: Float64,
    whole: Float64,
    prefix: Int32,
    begin: Int64,
    half: Int64,
    seen_by: Int32,
    kind: int,
    least: float,
    needed: float,
    top_k: int,
    met: Int32,
    first: int,
    last: int,
) -> tuple[Int32, Int32, Float64]:  # pragma: no cover - compiled
    """The best of each identifier from `first` to `last`, both ends and scores; `met` holds who last met each one."""
    one = np.empty((last - first) * top_k, np.int32)
    other, score = np.empty(len(one), np.int32), np.empty(len(one))
    found = 0
    for x in range(first, last):
        if whole[x] == 0:
            continue
        best = found
        for i in range(start[x], start[x + 1] if kind == OVERLAP else start[x] + prefix[x]):
            f = seen[i]
            everybody = kind == OVERLAP and i - start[x] < prefix[x]  # the smaller of the two has it in its prefix
            for at in range(begin[f], begin[f + 1] if everybody else half[f]):
                y = seen_by[at]
                if y == x or met[y] == x:
                    continue
                met[y] = x
                low, high = min(whole[x], whole[y]), max(whole[x], whole[y])
                if kind != OVERLAP and low < needed * high:
                    continue
                common = _common(start, seen, weight, x, y)
                if kind == JACCARD:
                    common /= low + high - common
                elif kind == OVERLAP:
                    common /= low
                else:
                    common /= np.sqrt(low * high)
                value = np.rint(common * _DIGITS) / _DIGITS
                if value < least:
                    continue
                if found - best == top_k:
                    if (value, -y) < (score[found - 1], -other[found - 1]):
                        continue
                    found -= 1
                place = found
                while place > best and (value, -y) > (score[place - 1], -other[place - 1]):
                    other[place], score[place] = other[place - 1], score[place - 1]
                    place -= 1
                other[place], score[place] = y, value
                found += 1
        one[best:found] = x
    return one[:found], other[:found], score[:found]


@kernel(nogil=True)
def _common(start: Int64, seen: Int32, weight: Float64, x: int, y: int) -> float:  # pragma: no cover - compiled
    i, j, common = start[x], start[y], 0.0
    while i < start[x + 1] and j < start[y + 1]:
        if seen[i] == seen[j]:
            common += weight[seen[i]]
            i, j = i + 1, j + 1
        elif seen[i] < seen[j]:
            i += 1
        else:
            j += 1
    return common
