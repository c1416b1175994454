"""Events as the columns that `resolve` takes, and its answer as sets of identifiers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from random import Random

import numpy as np

from identity_graph.model import Event, Identifier
from identity_graph.policy import Policy
from identity_graph.reasons import SUPPRESSED
from identity_graph.resolve import Resolution, resolve
from identity_graph.tables import IdentifierTable, ObservationTable, StatementTable
from tests.unit.naive import settled


def event(id: str, time: int, *keys: str, source: str = "web", same: Sequence[tuple[str, str]] = ()) -> Event:
    """`keys` are namespace:value, `same` stated pairs of them."""
    stated = [(Identifier.parse(a), Identifier.parse(b)) for a, b in same]
    return Event(id, time, source, "Seen", [Identifier.parse(key) for key in keys], {}, {}, stated)


def told(*lines: str) -> list[Event]:
    """An event a line, a second later each: identifiers between commas, `=` before stated pairs."""
    return [event(str(n), n, *(key.strip() for key in line.split(","))) for n, line in enumerate(lines, 1)]


def resolved(
    events: Iterable[Event],
    policy: Policy,
    random: Random | None = None,
    *,
    now: int | None = None,
    cannot: Iterable[tuple[Identifier, Identifier]] = (),
) -> Resolution:
    """`random` numbers identifiers, events, namespaces and sources anew, and shuffles the rows. `cannot` are pairs of
    identifiers that the events name, beside those that they keep apart."""
    events = list(events)
    names = list(dict.fromkeys(one for event in events for one in event.identifiers))
    same, never = settled(events)[0], [*cannot, *sorted(settled(events)[1])]
    sources = sorted({event.source for event in events})
    spaces = sorted({one.namespace for one in names})
    if random:
        for column in (events, names, sources, spaces, never):
            random.shuffle(column)
    gap = random.randrange(1, 5000) if random else 1  # stores leave gaps in their numbers
    number = {one: 3 + gap * n for n, one in enumerate(names)}
    rows = [
        (n, number[one], event.time, sources.index(event.source))
        for n, event in enumerate(events)
        for one in event.identifiers
    ]
    if random:
        random.shuffle(rows)
    seen = np.array(rows, np.int64).reshape(-1, 4)
    told = [
        (*sorted((number[a], number[b])), event.time, True, n) for n, event in enumerate(events) for a, b in event.apart
    ]
    said = np.array(told, np.int64).reshape(-1, 5)
    stated = sorted((number[a], number[b]) for a, b in same)
    pairs = np.array(stated, np.int64).reshape(-1, 2)
    apart = np.array([(number[a], number[b]) for a, b in never], np.int64).reshape(-1, 2)
    return resolve(
        IdentifierTable(
            np.array([number[one] for one in names], np.int64),
            np.array([spaces.index(one.namespace) for one in names], np.int16),
            spaces,
        ),
        [one.value for one in names],
        ObservationTable(seen[:, 0], seen[:, 1], seen[:, 2], seen[:, 3].astype(np.int16)),
        (pairs[:, 0], pairs[:, 1]),
        sources,
        policy,
        cannot=(apart[:, 0], apart[:, 1]),
        said=StatementTable(said[:, 0], said[:, 1], said[:, 2], said[:, 3].astype(np.bool_), said[:, 4]),
        now=now,
    )


def identifiers(found: Resolution) -> list[Identifier]:
    """By dense number."""
    spaces = found.identifiers.namespaces
    return [
        Identifier(spaces[space], value)
        for space, value in zip(found.identifiers.namespace.tolist(), found.values, strict=True)
    ]


def groups(found: Resolution) -> set[frozenset[Identifier]]:
    members: dict[int, set[Identifier]] = {}
    for one, label in zip(identifiers(found), found.groups.label.tolist(), strict=True):
        if label >= 0:
            members.setdefault(label, set()).add(one)
    return {frozenset(group) for group in members.values()}


def keys(found: Resolution) -> set[frozenset[str]]:
    """The groups of more than one, by key."""
    return {frozenset(one.key for one in group) for group in groups(found) if len(group) > 1}


def links(found: Resolution) -> dict[tuple[str, str], float]:
    """The weight of each pair of keys, smaller first."""
    names = [one.key for one in identifiers(found)]
    pairs = zip(found.links.a.tolist(), found.links.b.tolist(), found.links.weight.tolist(), strict=True)
    return {(min(names[a], names[b]), max(names[a], names[b])): weight for a, b, weight in pairs}


def suppressed(found: Resolution) -> set[tuple[frozenset[str], str, frozenset[str]]]:
    """Of each suppressed link: its ends, the namespace of the limit or else the code, and the two values."""
    names = [one.key for one in identifiers(found)]
    table = found.groups.suppressed
    columns = (table.link, table.code, table.namespace, table.value_a, table.value_b)
    return {
        (
            frozenset({names[found.links.a[link]], names[found.links.b[link]]}),
            SUPPRESSED[code] if space < 0 else found.identifiers.namespaces[space],
            frozenset({names[one] for one in (a, b) if one >= 0}),
        )
        for link, code, space, a, b in zip(*(column.tolist() for column in columns), strict=True)
    }
