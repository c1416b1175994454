"""Groups that keep limits beside plain components of the same links: `python -m bench.constrained [PEOPLE]`.

A fifth of the identifiers are of a namespace of which a person may have so many that no component breaks the limit, as
most do in the field; so many that the giant one does; or two, which one component in sixteen breaks. Weights are
random, so that the forest has an order to find. No group may break the limit; best of five, interleaved.

What bounds it where 31,000 components of 1.4 million links break the limit, by the time of one thread, of which there
are two, beside a shared cache that holds some 32 MB: 180 ms, beside 30 for the components. Dealing links to their
shares takes 25, which is looks at places that no earlier link foretells and a first touch of 22 MB; finding and dealing
identifiers 9; sorting 25, of which 8 are looks at the whole weights and times of even ones; growing 22; naming and
writing 420,000 suppressed links 39, of which 14,000 comparisons of texts are 8 to 14. These hold the interpreter, so
that the other thread waits too: without them it takes 10 to 20 ms less by the clock. The giant component alone is
sorted and grown by one thread.

An identifier without limits and cannot-links always joins by its strongest link, and so does a group of such ones: what
they join by need neither be sorted nor grown. That leaves 0.77 of 1.39 million links and 0.37 of 0.97 million
identifiers, but to find it over all links took longer than what it saves.
"""

from __future__ import annotations

import sys
from dataclasses import replace

import numpy as np

from bench.graphs import MID, identity_graph
from bench.races import race, ratio
from identity_graph.policy import Policy, Rule
from identity_graph.resolve.components import components
from identity_graph.resolve.groups import Groups, group
from identity_graph.resolve.rules import Rules
from identity_graph.tables import Int16, LinkTable

NAMES = ("cookie", "email")
MOST = 2


def links(people: int) -> tuple[LinkTable, Int16]:
    """The distinct links with weights and times, and the namespace of each identifier."""
    n, a, b = identity_graph(people)
    pairs = np.unique(np.minimum(a, b).astype(np.int64) << 32 | np.maximum(a, b))
    dice = np.random.default_rng(5)
    weight, seen = np.round(dice.random(len(pairs)), 6), dice.integers(0, 10**9, len(pairs))
    table = LinkTable(
        (pairs >> 32).astype(np.int32), pairs.astype(np.int32), weight, seen, np.zeros(len(pairs), np.bool_)
    )
    return table, (dice.random(n) < 0.2).astype(np.int16)


def main() -> None:
    people = int(sys.argv[1]) if len(sys.argv) > 1 else MID
    table, namespace = links(people)
    n = len(namespace)
    values = [str(number) for number in range(n)]
    free = Policy.default().without_limits()
    kept, joins = np.ones(len(table), np.bool_), np.ones(n, np.bool_)

    def constrained(most: int) -> Groups:
        policy = replace(free, namespaces={"email": Rule(limit=most)})
        return group(table, kept, joins, namespace, values, policy, Rules.of(policy, NAMES, ["web"]))

    own = np.bincount(components(n, table.a, table.b)[namespace == 1], minlength=n)
    most = int(np.partition(own, -2)[-2])  # as many as any component but one has
    best, found = race(
        {
            "plain": lambda: components(n, table.a, table.b),
            "kept": lambda: constrained(n),
            "giant": lambda: constrained(most),
            "broken": lambda: constrained(MOST),
        }
    )
    assert np.array_equal(found["kept"].label, found["plain"])
    for name, limit in (("giant", most), ("broken", MOST)):
        assert np.bincount(found[name].label[namespace == 1], minlength=n).max() <= limit
    print(f"constrained: {len(table):,} links, {n:,} identifiers")
    ratio(
        "constrained: limits that no component breaks, beside components", best["kept"], best["plain"], "bar 5, goal 3"
    )
    for name, limit in (("giant", most), ("broken", MOST)):
        over = own > limit
        within = over[found["plain"][table.a]].mean()
        print(f"constrained: {over.sum():,} components with {within:.0%} of the links break a limit of {limit}")
        ratio("constrained: the groups that keep it, beside components", best[name], best["plain"], "bar 5, goal 3")


if __name__ == "__main__":
    main()
