"""All that anybody can ask of a graph, as one value to compare graphs by."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from itertools import pairwise
from typing import Any

from identity_graph import IdentityGraph
from identity_graph.model import Identifier


def picture(graph: IdentityGraph, keys: Iterable[Identifier] = ()) -> dict[str, Any]:
    """All that anybody can ask of a graph, without person ids; of `keys` what is known, and why each is or is not one
    person with the next."""
    people = graph.people
    ids = sorted({row[0] for row in people.memberships().rows()})
    members = people.members(ids)
    names = [tuple(one.identifier.key for one in rows) for rows in members]
    answers = zip(
        names,
        [[(one.identifier.key, one.confidence) for one in rows] for rows in members],
        people.confidences(ids),
        people.profiles(ids),
        [[(one.event, one.attributed_by) for one in journey] for journey in people.journeys(ids)],
        [[len(session.events) for session in found] for found in people.sessions(ids)],
        people.links(ids),
        people.segments(ids),
        strict=True,
    )
    known = sorted(set(keys))
    facts = [replace(one, person_id=None) if one else None for one in people.identifiers(known)]
    counts = graph.store.operations.counts()
    return {
        "persons": {name: rest for name, *rest in answers},
        "identifiers": facts,
        "explanations": [people.explain(a, b) for a, b in pairwise(known)],
        "segments": {one.name: one.size for one in graph.segments.all()},
        "counts": {name: counts[name] for name in ("events", "identifiers", "observations", "persons", "pruned")},
        "digest": graph.digest(),
    }
