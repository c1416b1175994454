"""One person as a networkx graph: for algorithms, exports and pictures."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from identity_graph.model import Link, Membership

if TYPE_CHECKING:
    import networkx as nx


def network(members: Iterable[Membership], links: Iterable[Link]) -> nx.Graph[str]:
    """Nodes are keys, with `namespace`, `value`, `confidence` and `member` (False for the other end of a suppressed
    link); edges have `weight`, `kind`, `count`, `first_seen` and `last_seen` in microseconds since 1970, `sources`,
    `suppressed`: the code of the reason, or None for a link that joins, and `shared`: keys that both were seen with.

    >>> from identity_graph.model import Identifier, LinkKind
    >>> mail, card = Identifier("email", "ann@example.org"), Identifier("loyalty_id", "LC9")
    >>> found = network(
    ...     [Membership(mail, 1.0, 0), Membership(card, 0.6, 0)],
    ...     [Link(mail, card, LinkKind.OBSERVED, 0.6, 2, 0, 9, ("crm",))])
    >>> found["email:ann@example.org"]["loyalty_id:LC9"]["count"]
    2
    """
    import networkx as nx

    found: nx.Graph[str] = nx.Graph()
    for member in members:
        one = member.identifier
        found.add_node(one.key, namespace=one.namespace, value=one.value, confidence=member.confidence, member=True)
    for link in links:
        for end in (link.a, link.b):
            if end.key not in found:
                found.add_node(end.key, namespace=end.namespace, value=end.value, confidence=0.0, member=False)
        found.add_edge(
            link.a.key,
            link.b.key,
            weight=link.weight,
            kind=link.kind.value,
            count=link.count,
            first_seen=link.first_seen,
            last_seen=link.last_seen,
            sources=list(link.sources),
            suppressed=link.suppressed.code if link.suppressed else None,
            shared=[one.key for one in link.shared],
        )
    return found
