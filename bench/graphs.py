"""A synthetic identity graph for benchmarks, of the shape that real ones have, in the worst order."""

from __future__ import annotations

import numpy as np
import polars as pl

from identity_graph.tables import Int32, Int64

MID = 500_000
BIG = 10 * MID
HUBS = 20


def identity_graph(people: int, seed: int = 1) -> tuple[int, Int32, Int32]:
    """How many identifiers there are, and the ends of the links between them: about 4.2 and 4.8 a person.

    Identifiers per person follow a Pareto law, at most 401. Each is seen with an earlier one of its person, half of
    them with another one again, some of these pairs repeatedly. 20 hubs glue one person in 70 together, those with
    many identifiers most, which makes one component of a tenth of all. Identifiers and links are shuffled: no locality
    is left.
    """
    return planted(people, seed)[:3]


def planted(people: int, seed: int = 1) -> tuple[int, Int32, Int32, Int32]:
    """The same, and whose each identifier is: int32[n]."""
    dice = np.random.default_rng(seed)
    size = np.minimum(np.floor(2 * dice.pareto(1.5, people) + 1), 401).astype(np.int64)
    start = np.r_[0, np.cumsum(size)]
    n = int(start[-1])
    owner = np.repeat(np.arange(people), size)
    place = np.arange(n) - start[owner]
    later = np.flatnonzero(place > 0)
    earlier = start[owner[later]] + (dice.random(len(later)) * place[later]).astype(np.int64)
    again = later[dice.integers(0, len(later), 11 * len(later) // 20)]
    other = start[owner[again]] + (dice.random(len(again)) * size[owner[again]]).astype(np.int64)
    glued = people // 70
    hub = dice.integers(0, n, HUBS)[dice.integers(0, HUBS, glued)]
    a = np.r_[later, again, dice.integers(0, n, glued)]
    b = np.r_[earlier, other, hub]
    return n, *_shuffled(owner, a[a != b], b[a != b], dice)


def _shuffled(owner: Int64, a: Int64, b: Int64, dice: np.random.Generator) -> tuple[Int32, Int32, Int32]:
    name = dice.permutation(len(owner)).astype(np.int32)
    order, turned = dice.permutation(len(a)), dice.random(len(a)) < 0.5
    a, b = np.where(turned, b, a)[order], np.where(turned, a, b)[order]
    whose = np.empty(len(owner), np.int32)
    whose[name] = owner
    return name[a], name[b], whose


def keys(n: int, seed: int = 1) -> pl.Series:
    """Identifiers as texts, 26 characters on average: e-mail addresses, devices, telephones and loyalty numbers."""
    i = pl.col("i")
    noise = np.random.default_rng(seed).integers(0, 2**63, n)
    return (
        pl.DataFrame({"i": np.arange(n), "noise": noise})
        .select(
            key=pl.when(i % 4 == 0)
            .then(pl.format("email:person{}@example{}.com", i, pl.col("noise") % 100))
            .when(i % 4 == 1)
            .then(pl.format("device_id:{}-{}", "noise", i))
            .when(i % 4 == 2)
            .then(pl.format("phone:+1{}", 2_000_000_000 + i))
            .otherwise(pl.format("loyalty_id:L{}", i))
        )
        .to_series()
    )
