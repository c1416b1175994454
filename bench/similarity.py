"""Similarity by shared neighbours beside a product of sparse matrices: `python -m bench.similarity [COOKIES]`.

Cookies on the addresses of their household and, now and then, on common ones. Both are given columns of pairs and end
with the scores of the best ten of each cookie, by weighted Jaccard similarity of at least 0.45; best of five,
interleaved, with equal scores. Neighbours of more than 100 are left out before, for both, and not timed.
`bench.node_similarity` is the race with Graph Data Science.
"""

from __future__ import annotations

import sys

import numpy as np

from bench.races import race, ratio
from identity_graph.resolve.incidence import Incidence
from identity_graph.resolve.similarity import similar
from identity_graph.tables import Float64, Int32

COOKIES = 100_000
LEAST = 0.45
TOP_K = 10
MOST = 100

Best = tuple[Int32, Float64]


def pairs(cookies: int, roaming: float = 0.2, seed: int = 1) -> tuple[Int32, Int32]:
    """Which cookie was seen on which address, each pair once; of `roaming` the address is not that of its household."""
    dice = np.random.default_rng(seed)
    cookie = np.repeat(np.arange(cookies), dice.geometric(0.2, cookies))
    household = dice.permutation(cookies)[cookie] // 4
    address = household * 3 + dice.integers(0, 3, len(cookie))
    common = dice.random(len(cookie)) < roaming
    address = np.where(common, cookies + dice.integers(0, cookies // 40 + 1, len(cookie)), address)
    found = np.unique(cookie << 32 | address)
    cookie, address = found >> 32, found & (2**32 - 1)
    few = (np.bincount(address) <= MOST)[address]
    return cookie[few].astype(np.int32), address[few].astype(np.int32)


def best(one: Int32, score: Float64) -> Best:
    """The best scores of each identifier, in order."""
    order = np.lexsort((-score, one))
    one, score = one[order], score[order]
    rank = np.arange(len(one)) - np.searchsorted(one, one)
    return one[rank < TOP_K], score[rank < TOP_K]


def ours(cookie: Int32, address: Int32) -> Best:
    incidence = Incidence.of(cookie, address, most=MOST)
    found = similar(incidence, measure="jaccard", least=LEAST, top_k=TOP_K)
    return best(np.r_[found.a, found.b], np.r_[found.score, found.score])


def of_scipy(cookie: Int32, address: Int32) -> Best:
    from scipy.sparse import csr_matrix

    weight = 1 / np.log1p(np.bincount(address))[address]
    shape = (int(cookie.max()) + 1, int(address.max()) + 1)
    seen = csr_matrix((weight, (cookie, address)), shape=shape)
    shared = (seen @ csr_matrix((np.ones(len(cookie)), (cookie, address)), shape=shape).T).tocoo()
    whole = np.bincount(cookie, weight)
    score = shared.data / (whole[shared.row] + whole[shared.col] - shared.data)
    kept = (score >= LEAST) & (shared.row != shared.col)
    return best(shared.row[kept], score[kept])


def main() -> None:
    cookies = int(sys.argv[1]) if len(sys.argv) > 1 else COOKIES
    cookie, address = pairs(cookies)
    times, found = race({"ours": lambda: ours(cookie, address), "peer": lambda: of_scipy(cookie, address)})
    assert np.array_equal(found["ours"][0], found["peer"][0])
    assert np.allclose(found["ours"][1], found["peer"][1], atol=1e-9)
    print(f"similarity: {cookies:,} cookies on {len(np.unique(address)):,} addresses, {len(cookie):,} pairs")
    ratio("similarity: a product of sparse matrices beside ours", times["peer"], times["ours"], "no bar")


if __name__ == "__main__":
    main()
