"""Persons that may be one: what suppressed links say that nobody has contradicted."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

from identity_graph.model import Identifier, Link, LinkKind, Suggestion


def suggestions(person_id: str, links: Iterable[Link], owner: Mapping[Identifier, str]) -> tuple[Suggestion, ...]:
    """The strongest first: by weight, then by how many links there are, then by id.

    `links` are those of the person, `owner` has the persons of their ends. Who is said not to be this person, by any
    of its identifiers, is not suggested.

    >>> card, ann, bob = (Identifier.parse(key) for key in ("loyalty_id:1", "user_id:ann", "user_id:bob"))
    >>> link = Link(card, bob, LinkKind.OBSERVED, 0.5, 1, 0, 0, ("shop",))
    >>> [one.person_id for one in suggestions("p", [link], {card: "p", ann: "p", bob: "q"})]
    ['q']
    """
    found: dict[str, list[Link]] = defaultdict(list)
    apart: set[str] = set()
    for link in links:
        for other in {owner.get(link.a), owner.get(link.b)} - {person_id, None}:
            assert other is not None
            found[other].append(link)
            if link.kind is LinkKind.CANNOT:
                apart.add(other)
    suggested = [
        Suggestion(other, max(link.weight for link in told), tuple(sorted(told, key=lambda link: -link.weight)))
        for other, told in found.items()
        if other not in apart
    ]
    return tuple(sorted(suggested, key=lambda one: (-one.weight, -len(one.links), one.person_id)))
