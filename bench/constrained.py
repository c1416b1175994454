"""Groups that keep limits beside plain components of the same links: `python -m bench.constrained [PEOPLE]`.

Each person has one identifier of which no group may have two, as the prototype of the bar had: the hubs that glue
people together make one component that breaks this, of a sixth of all links. Beside it, limits that nothing breaks, as
most do in the field; and more than anybody asked for: a fifth of the identifiers are of a namespace of which no group
may have three, which one component in sixteen breaks, with 62 % of the links. Weights are random, so that the forest
has an order to find. No group may break the limit; best of five, interleaved.

What bounds it where 31,000 components of 1.4 million links break the limit, by the time of one thread, of which there
are two, beside a shared cache that holds some 32 MB: 180 ms, beside 20 for the components. Dealing links to their
shares takes 25, which is looks at places that no earlier link foretells and a first touch of 22 MB; finding and dealing
identifiers 9; sorting 25, of which 8 are looks at the whole weights and times of even ones; growing 22; naming and
writing 420,000 suppressed links 39, of which 14,000 comparisons of texts are 8 to 14. These hold the interpreter, so
that the other thread waits too: without them it takes 10 to 20 ms less by the clock.

The giant component alone is sorted by both threads and grown by one, while the other finds the first link of each
identifier. Of 24 million links 3.7 million are its own, and nearly all of them are even by weight with some other: what
its weights and times leave is read in passing, for looks at them in order take five times longer.

An identifier without limits and cannot-links always joins by its strongest link, and so does a group of such ones: what
they join by need neither be sorted nor grown. That leaves 0.77 of 1.39 million links and 0.37 of 0.97 million
identifiers, but to find it over all links took longer than what it saves.
"""

from __future__ import annotations

import sys
from dataclasses import replace

import numpy as np

from bench.graphs import MID, planted
from bench.races import race, ratio
from identity_graph.policy import Policy, Rule
from identity_graph.resolve.components import components
from identity_graph.resolve.groups import Groups, group
from identity_graph.resolve.rules import Rules
from identity_graph.tables import Int16, Int32, LinkTable

NAMES = ("cookie", "email")
MOST = 2
BAR = "bar 5, goal 3"


def links(people: int) -> tuple[LinkTable, Int32]:
    """The distinct links with weights and times, and whose each identifier is."""
    _, a, b, whose = planted(people)
    pairs = np.unique(np.minimum(a, b).astype(np.int64) << 32 | np.maximum(a, b))
    dice = np.random.default_rng(5)
    weight, seen = np.round(dice.random(len(pairs)), 6), dice.integers(0, 10**9, len(pairs))
    table = LinkTable(
        (pairs >> 32).astype(np.int32), pairs.astype(np.int32), weight, seen, np.zeros(len(pairs), np.bool_)
    )
    return table, whose


def main() -> None:
    people = int(sys.argv[1]) if len(sys.argv) > 1 else MID
    table, whose = links(people)
    n = len(whose)
    values = [str(number) for number in range(n)]
    free = Policy.default().without_limits()
    kept, joins = np.ones(len(table), np.bool_), np.ones(n, np.bool_)
    one_each, fifth = np.zeros(n, np.int16), (np.random.default_rng(5).random(n) < 0.2).astype(np.int16)
    one_each[np.unique(whose, return_index=True)[1]] = 1

    def constrained(namespace: Int16, most: int) -> Groups:
        policy = replace(free, namespaces={"email": Rule(limit=most)})
        return group(table, kept, joins, namespace, values, policy, Rules.of(policy, NAMES, ["web"]))

    best, found = race(
        {
            "plain": lambda: components(n, table.a, table.b),
            "none": lambda: constrained(one_each, n),
            "one each": lambda: constrained(one_each, 1),
            "fifth": lambda: constrained(fifth, MOST),
        }
    )
    assert np.array_equal(found["none"].label, found["plain"])
    print(f"constrained: {len(table):,} links, {n:,} identifiers")
    ratio("constrained: limits that no component breaks, beside components", best["none"], best["plain"], BAR)
    for name, namespace, limit, bar in (("one each", one_each, 1, BAR), ("fifth", fifth, MOST, "no bar")):
        assert np.bincount(found[name].label[namespace == 1], minlength=n).max() <= limit
        over = np.bincount(found["plain"][namespace == 1], minlength=n) > limit
        within = over[found["plain"][table.a]].mean()
        print(f"constrained: {over.sum():,} components with {within:.0%} of the links break a limit of {limit}")
        ratio("constrained: the groups that keep it, beside components", best[name], best["plain"], bar)


if __name__ == "__main__":
    main()
