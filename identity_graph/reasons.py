"""Why something does not join, in words."""

from __future__ import annotations

from collections.abc import Sequence

from identity_graph.model import Identifier, Reason
from identity_graph.policy import Policy


def limit_reason(namespace: str, values: Sequence[str], policy: Policy) -> Reason:
    """`values`: two values of the limited namespace that would have come together."""
    limit = policy.rule(namespace).limit
    message = f"a person has at most {limit} {namespace}; joining would bring {values[0]} and {values[1]} together"
    return Reason("LIMIT", message, namespace, tuple(values))


def oversized_reason(policy: Policy) -> Reason:
    return Reason("OVERSIZED", f"a person has at most {policy.max_identifiers} identifiers")


def pruned_reason(code: str, identifier: Identifier, policy: Policy) -> Reason:
    """Of BLOCKED, NOT_JOINING and HUB."""
    cap = policy.rule(identifier.namespace).hub_cap
    message = {
        "BLOCKED": f"{identifier.key} is a value that means nobody",
        "NOT_JOINING": f"{identifier.namespace} is kept as evidence and joins nobody",
        "HUB": f"{identifier.key} was seen with what would be more than {cap} persons",
    }[code]
    return Reason(code, message, identifier.namespace, (identifier.value,))


def weak_reason(weight: float, policy: Policy) -> Reason:
    return Reason("WEAK", f"a link of weight {weight:.2f} is below the least that joins, {policy.min_weight:.2f}")


def unseen_reason(a: Identifier, b: Identifier) -> Reason:
    message = f"nothing links {a.key} and {b.key}: what was seen with the one or its person was not seen with the other"
    return Reason("UNSEEN", message)
