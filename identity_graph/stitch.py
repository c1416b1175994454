"""Statements of events to one profile: which value of a trait survives."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import TypeAlias

import orjson

from identity_graph.model import Event, Profile, Statement, Trait
from identity_graph.policy import Policy

Standing: TypeAlias = tuple[float, int, bytes, str, str, Statement]


def stitch(events: Iterable[Event], policy: Policy) -> Profile:
    """The profile of one person's events, in any order.

    Of each trait survives the newest statement of the most trusted source; at one time and trust, the larger value in
    canonical JSON, then the larger source and event id: so that order never matters. A null states nothing. Of the
    values that lost, each is kept once, by its newest statement, newest first. O(statements log statements).

    >>> seen = [Event("1", 5, "web", "Signed Up", (), {"plan": "free"}, {}),
    ...         Event("2", 9, "web", "Upgraded", (), {"plan": "pro"}, {})]
    >>> stitch(seen, Policy()).values
    {'plan': 'pro'}
    """
    stated: dict[str, list[Standing]] = defaultdict(list)
    for event in events:
        if event.traits:
            for name, value in event.traits.items():
                if value is not None:
                    statement = Statement(name, value, event.source, event.time, event.id)
                    stated[name].append(standing(statement, policy))
    return Profile(tuple(_survivor(stated[name]) for name in sorted(stated)))


def standing(statement: Statement, policy: Policy) -> Standing:
    """What compares statements of one trait of one person: the largest survives."""
    canonical = orjson.dumps(statement.value, option=orjson.OPT_SORT_KEYS)
    trust = policy.source_trust(statement.source)
    return trust, statement.time, canonical, statement.source, statement.event_id, statement


def _survivor(statements: list[Standing]) -> Trait:
    _, _, surviving, _, _, best = max(statements, key=lambda one: one[:5])
    others: dict[bytes, Statement] = {}
    for one in sorted(statements, key=lambda one: one[1:5], reverse=True):
        if one[2] != surviving:
            others.setdefault(one[2], one[5])
    return Trait(best.name, best.value, best.source, best.time, best.event_id, tuple(others.values()))
