"""The policy as columns: one row per namespace, one per source."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from identity_graph.errors import PolicyError
from identity_graph.policy import ORDERS, Policy, Rule
from identity_graph.tables import Bool, Float64, Int16, Int32, Int64

PERSON_LIKE = 2**32  # more than any number of devices: identifiers are numbered in 31 bits
DEVICE_LIKE = 2
COOKIE_LIKE = 1


@dataclass(frozen=True, slots=True)
class Rules:
    """`trust` float64, `limit` int32 (-1: none), `window` int64 (-1: all time), `hub_cap`, `priority` int32,
    `half_life`, `expires` int64 (-1: none), `joins` bool and `carries` int64, each by namespace; `source_trust` float64
    by source.

    `carries` is how much an identifier counts when groups claim the id of an earlier person: one of a limited namespace
    speaks of a person and outweighs any number of others; of these it is 2 at priority 50 or higher (a device), else 1
    (a cookie).
    """

    namespaces: Sequence[str]
    trust: Float64
    limit: Int32
    window: Int64
    hub_cap: Int32
    priority: Int32
    half_life: Int64
    expires: Int64
    joins: Bool
    carries: Int64
    source_trust: Float64

    @classmethod
    def of(cls, policy: Policy, namespaces: Sequence[str], sources: Sequence[str]) -> Rules:
        """Raises POLICY_VALUE for a policy that no file could say."""
        rules = [policy.rule(name) for name in namespaces]
        carries = [
            PERSON_LIKE if rule.limit is not None else DEVICE_LIKE if rule.priority <= 50 else COOKIE_LIKE
            for rule in rules
        ]
        _check(policy, dict(zip(namespaces, rules, strict=True)), sources)
        return cls(
            namespaces=namespaces,
            trust=np.array([rule.trust for rule in rules], dtype=np.float64),
            limit=np.array([-1 if rule.limit is None else rule.limit for rule in rules], dtype=np.int32),
            window=np.array([rule.window or -1 for rule in rules], dtype=np.int64),
            hub_cap=np.array([rule.hub_cap for rule in rules], dtype=np.int32),
            priority=np.array([rule.priority for rule in rules], dtype=np.int32),
            half_life=np.array([rule.half_life or -1 for rule in rules], dtype=np.int64),
            expires=np.array([rule.expires or -1 for rule in rules], dtype=np.int64),
            joins=np.array([rule.joins for rule in rules], dtype=np.bool_),
            carries=np.array(carries, dtype=np.int64),
            source_trust=np.array([policy.source_trust(name) for name in sources], dtype=np.float64),
        )

    def limited(self) -> list[int]:
        """Namespaces that have a limit, by name: so that the reason given never depends on arrival."""
        return sorted(np.flatnonzero(self.limit >= 0).tolist(), key=lambda n: self.namespaces[n])

    @staticmethod
    def shorter(ages: Int64, one: Int16, other: Int16) -> Int64:
        """The shorter of the ages, `half_life` or `expires`, of each two namespaces; -1 where both have none."""
        first, second = ages[one], ages[other]
        return np.where(first < 0, second, np.where(second < 0, first, np.minimum(first, second)))


def _check(policy: Policy, rules: Mapping[str, Rule], sources: Sequence[str]) -> None:
    good = {"order": policy.order in ORDERS, "min_weight": 0 <= policy.min_weight <= 1}
    good |= {"max_identifiers": policy.max_identifiers >= 2, "pairwise_up_to": policy.pairwise_up_to >= 2}
    for name, rule in rules.items():
        good |= {f"{name}.trust": 0 <= rule.trust <= 1, f"{name}.hub_cap": rule.hub_cap >= 1}
        for key in ("limit", "window", "half_life", "expires"):
            value = getattr(rule, key)
            good[f"{name}.{key}"] = value is None or value >= 1
    good |= {f"sources.{name}.trust": 0 <= policy.source_trust(name) <= 1 for name in sources}
    wrong = [key for key, fits in good.items() if not fits]
    if wrong:
        raise PolicyError("POLICY_VALUE", f"the policy: {wrong[0]} is not a value that a file could give")
