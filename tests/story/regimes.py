"""Policies to change between: each rule that decides who is one person, in few values, so that small worlds meet it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import product

from identity_graph.policy import Policy, Rule
from identity_graph.times import DAY
from tests.story.worlds import tight

AGEING: Mapping[str, tuple[int | None, int | None]] = {  # half-life and expiry
    "never": (None, None),
    "fades": (7 * DAY, None),
    "expires": (None, 20 * DAY),
    "both": (10 * DAY, 30 * DAY),
}
ORDERS = ("strongest", "newest", "cut")


def regime(order: str, largest: int, windowed: bool, ageing: str, doubtful: bool) -> Policy:
    """`largest` bounds a person; `doubtful`: sources are trusted by their name, and more evidence is asked for."""

    def changed(rule: Rule) -> Rule:
        if windowed and rule.limit is not None:
            rule = replace(rule, limit=min(rule.limit, 2), window=10 * DAY)
        if rule.priority == 1:
            return rule
        half_life, expires = AGEING[ageing]
        return replace(rule, half_life=half_life, expires=expires, hub_cap=min(rule.hub_cap, 2))

    policy = tight(order, largest)
    return replace(
        policy,
        default_rule=changed(policy.default_rule),
        namespaces={name: changed(rule) for name, rule in policy.namespaces.items()},
        sources={"y": 0.6, "z": 0.2} if doubtful else {},
        min_weight=0.35 if doubtful else policy.min_weight,
    )


def _named() -> dict[str, Policy]:
    every = product((False, True), (False, True), (500, 5), AGEING, ORDERS)
    named = {
        f"{order}, {largest}, {'windowed' if windowed else 'ever'}, {ageing}, {'doubtful' if doubtful else 'sure'}": (
            regime(order, largest, windowed, ageing, doubtful)
        )
        for doubtful, windowed, largest, ageing, order in every
    }
    return named | {"default": Policy.default(), "without limits": Policy.default().without_limits()}


REGIMES = _named()
"""The plainest first."""
