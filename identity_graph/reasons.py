"""Why something does not join, in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from identity_graph.model import Identifier, Reason
from identity_graph.policy import Policy
from identity_graph.times import format_duration

SUPPRESSED = ("LIMIT", "OVERSIZED", "CANNOT_LINK", "QUARANTINED")
"""The codes of suppressed links, by the number in a `SuppressedTable`."""


STEPS = ("", "least cut", "too large", "bridge", "threshold", "community", "quarantine")
"""What was done to the component beside taking its strongest or newest links, by the number in a `SuppressedTable`."""

_DONE = {
    "": "",
    "least cut": "; as little of the component as possible was cut",
    "too large": "; the component is too large for a least cut, so that the strongest links were taken",
    "bridge": ": this link alone held two parts of a larger component together, and is weaker than most on either side",
    "threshold": ": this is one of the weakest links of a larger component",
    "community": ": this link leads from one dense part of a larger component to another",
    "quarantine": ": nothing tells the parts of a larger component from each other, hence it is in quarantine",
}


def limit_reason(namespace: str, values: Sequence[str], policy: Policy) -> Reason:
    """`values`: two values of the limited namespace that would have come together."""
    rule = policy.rule(namespace)
    window = "" if rule.window is None else f" within {format_duration(rule.window)}"
    message = f"a person has at most {rule.limit} {namespace}{window}"
    message += f"; joining would bring {values[0]} and {values[1]} together"
    return Reason("LIMIT", message, namespace, tuple(values))


def cannot_reason(a: Identifier, b: Identifier) -> Reason:
    keys = tuple(sorted((a.key, b.key)))
    return Reason("CANNOT_LINK", f"{keys[0]} and {keys[1]} are said not to be one person", None, keys)


def suppressed_reason(code: int, step: int, a: Identifier | None, b: Identifier | None, policy: Policy) -> Reason:
    """Of a row of a `SuppressedTable`; `a` and `b` are its two values, None where it was the size."""
    if a is None or b is None:
        reason = Reason(SUPPRESSED[code], f"a person has at most {policy.max_identifiers} identifiers")
    elif SUPPRESSED[code] == "CANNOT_LINK":
        reason = cannot_reason(a, b)
    else:
        reason = limit_reason(a.namespace, sorted((a.value, b.value)), policy)
    return replace(reason, message=reason.message + _DONE[STEPS[step]])


def pruned_reason(code: str, identifier: Identifier, policy: Policy) -> Reason:
    """Of BLOCKED, NOT_JOINING and HUB."""
    cap, most = policy.rule(identifier.namespace).hub_cap, policy.max_identifiers
    message = {
        "BLOCKED": f"{identifier.key} is a value that means nobody",
        "NOT_JOINING": f"{identifier.namespace} is kept as evidence and joins nobody",
        "HUB": f"{identifier.key} was seen with what would be more than {cap} persons, or one of more than {most}",
    }[code]
    return Reason(code, message, identifier.namespace, (identifier.value,))


def weak_reason(weight: float, policy: Policy) -> Reason:
    least, digits = policy.min_weight, 2
    while digits < 17 and f"{weight:.{digits}f}" == f"{least:.{digits}f}":
        digits += 1
    return Reason("WEAK", f"a link of weight {weight:.{digits}f} is below the least that joins, {least:.{digits}f}")


def expired_reason(a: Identifier, b: Identifier, policy: Policy) -> Reason:
    """Of a link between two identifiers of which at least one is of a namespace whose evidence expires."""
    ages = [(policy.rule(one.namespace).expires, one.namespace) for one in (a, b)]
    age, namespace = min((age, name) for age, name in ages if age is not None)
    message = f"{a.key} and {b.key} were last seen together over {format_duration(age)} before the newest evidence"
    return Reason("EXPIRED", message, namespace, ())


def unsure_reason(least: float) -> Reason:
    """Of identifiers that are shown as nobody's to whom asks for more confidence than there is."""
    return Reason("UNSURE", f"a confidence of at least {least:.17g} is asked for, and one of them is less sure")


def purpose_reason(purpose: str) -> Reason:
    """Of who is nobody to whoever looks for it."""
    return Reason("PURPOSE", f"one of them is nobody who may be used for {purpose}")


def unseen_reason(a: Identifier, b: Identifier) -> Reason:
    message = f"nothing links {a.key} and {b.key}: what was seen with the one or its person was not seen with the other"
    return Reason("UNSEEN", message)
