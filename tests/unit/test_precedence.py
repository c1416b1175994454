"""The order in which links are taken: as Python sorts them by all that they go by, on every way there is to it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from identity_graph.policy import Policy, Rule
from identity_graph.resolve import precedence as module
from identity_graph.resolve.components import components
from identity_graph.resolve.members import Members
from identity_graph.resolve.part import NO_PAIRS, Facts, Part
from identity_graph.resolve.precedence import precedence
from identity_graph.resolve.rules import Rules
from identity_graph.resolve.shares import DIGITS, deal
from identity_graph.resolve.threads import second_thread
from identity_graph.tables import LinkTable

SPACES = ["mail", "card"]
WEIGHTS: list[Any] = [[0.5], [0.25, 0.5, 1.0], [0.5, 0.5 + 1e-12, 0.5 - 3e-12], [-0.5, 0.5, 1.5, 1.75, 3.0]]
TIMES = [1, 4, 10**9, 2**59]


@settings(max_examples=300, deadline=None)
@given(
    st.integers(0, 2**32),
    st.sampled_from([None, *WEIGHTS]),
    st.sampled_from(TIMES),
    st.sampled_from(["strongest", "newest"]),
    st.sampled_from([0, 2**16]),
    st.booleans(),
)
def test_links_are_taken_in_the_order_that_python_sorts_them_in(
    seed: int, weights: list[float] | None, latest: int, order: str, few: int, two: bool
) -> None:
    dice = np.random.default_rng(seed)
    n, m = int(dice.integers(2, 90)), int(dice.choice([0, 1, 20, 300, 2000]))
    pairs = np.unique(np.sort(dice.integers(0, n, (m, 2)), axis=1), axis=0).astype(np.int32)
    pairs = pairs[pairs[:, 0] != pairs[:, 1]]
    a, b = np.ascontiguousarray(pairs[dice.permutation(len(pairs))].T)
    m = len(a)
    weight = dice.choice(weights, m) if weights else np.round(dice.random(m), 12)
    seen, stated = dice.integers(-latest, latest + 1, m), bool(dice.random() < 0.3)
    later = dice.random(m) < 0.3 if dice.random() < 0.3 else None
    table = LinkTable(a, b, weight, seen, (dice.random(m) < 0.2) & stated)
    space, value = dice.integers(0, len(SPACES), n).astype(np.int16), dice.permutation(n)
    policy = replace(Policy.default(), namespaces={"mail": Rule(priority=3), "card": Rule(priority=5)})
    facts = Facts(space, [f"{x:02d}" for x in value.tolist()], seen, NO_PAIRS, Rules.of(policy, SPACES, []))
    label = components(n, a, b)
    chosen = np.flatnonzero(label == np.arange(n)).astype(np.int32)
    kind, kept = np.ones(len(chosen), np.int8), np.ones(m, np.bool_)
    (share,) = deal(label, space, Members.of(label, chosen), kind, table, kept, NO_PAIRS, newest=order == "newest")
    part = Part.of(share, label, table, facts, stated=stated)

    def rank(at: int) -> tuple[Any, ...]:
        row = part.rows[at]
        ends = sorted((SPACES[space[x]], int(value[x])) for x in (a[row], b[row]))
        heavy, late = int(np.rint(weight[row] * -DIGITS)), -int(seen[row])
        priority = sum(policy.rule(SPACES[space[x]]).priority for x in (a[row], b[row]))
        columns = (late, priority, heavy) if order == "newest" else (heavy, late)
        return 0 if table.must[row] else 1 + (later is not None and bool(later[at])), *columns, label[a[row]], ends

    wanted = sorted(range(m), key=rank)
    for many in (0, 2**17):
        with pytest.MonkeyPatch.context() as patch, second_thread(2**20 if two else 0) as thread:
            patch.setattr(module, "_FEW", few)
            patch.setattr(module, "_MANY", many)
            assert precedence(part, order, later, thread).tolist() == wanted
