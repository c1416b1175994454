"""Statements of events to one profile: which value of a trait survives."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

import orjson

from identity_graph.model import Event, Profile, Statement, Trait
from identity_graph.policy import Policy


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
    stated: dict[str, list[tuple[float, int, bytes, Statement]]] = defaultdict(list)
    for event in events:
        if event.traits:
            trust = policy.source_trust(event.source)
            for name, value in event.traits.items():
                if value is not None:
                    statement = Statement(name, value, event.source, event.time, event.id)
                    canonical = orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
                    stated[name].append((trust, event.time, canonical, statement))
    return Profile(tuple(_survivor(stated[name]) for name in sorted(stated)))


def _survivor(statements: list[tuple[float, int, bytes, Statement]]) -> Trait:
    statements.sort(key=lambda one: (*one[:3], one[3].source, one[3].event_id), reverse=True)
    _, _, surviving, best = statements[0]
    others: dict[bytes, Statement] = {}
    for _, _, canonical, statement in sorted(
        statements, key=lambda one: (one[1], one[2], one[3].source, one[3].event_id), reverse=True
    ):
        if canonical != surviving:
            others.setdefault(canonical, statement)
    return Trait(best.name, best.value, best.source, best.time, best.event_id, tuple(others.values()))
