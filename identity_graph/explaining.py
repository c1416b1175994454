"""Why, or why not, two identifiers are one person."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from identity_graph.linking import identifier_at, link_of, suppressed_of
from identity_graph.model import Explanation, Identifier, Link, LinkKind, Reason
from identity_graph.neighbourhood import Neighbourhood, around, component
from identity_graph.policy import Policy
from identity_graph.reasons import cannot_reason, expired_reason, pruned_reason, unseen_reason, weak_reason
from identity_graph.resolve.prune import CODES, EXPIRED, JOINS, WEAK
from identity_graph.store.protocols import IdentifierRow, Store
from identity_graph.tables import Bool


def explain(store: Store, policy: Policy, a: Identifier, b: Identifier, withheld: Reason | None = None) -> Explanation:
    """The path whose weakest link is strongest: over joining links where they are one person; else over links that a
    limit refused; else over links that are too weak or lead through pruned identifiers, each with an end in the
    component of one of them. What refuses is an obstacle.

    Where one of them is nobody, though nothing keeps it from joining, no more than why that is `withheld` is told. Else
    reads the component of both, and builds one networkx graph of it. Of a pruned one only what it was seen with there:
    a hub's history is long.
    """
    rows = store.evidence.identifiers([a, b])
    if rows[0] is None or rows[1] is None:
        unseen = [one for one, row in zip((a, b), rows, strict=True) if row is None]
        reasons = [Reason("UNSEEN", f"{one.key} was never observed", one.namespace, (one.value,)) for one in unseen]
        return Explanation(False, (), None, tuple(reasons), "; ".join(reason.message for reason in reasons))
    first, second = rows[0], rows[1]
    if a == b:
        return Explanation(True, (), 1.0, (), f"{a.key} is one identifier")
    if withheld and any(row.person is None and not row.pruned for row in (first, second)):
        return not_one(a, b, [withheld])
    together = first.person is not None and first.person == second.person
    path, obstacles = _search(store, policy, first, second, together)
    if together:
        sure = min((link.weight for link in path), default=1.0)
        return Explanation(True, path, sure, (), _because(a, b, path, sure))
    for row in (first, second):
        if row.pruned:
            reason = pruned_reason(row.pruned, row.identifier, policy)
            obstacles = [reason, *(one for one in obstacles if one != reason)]
    if not path and not obstacles:
        obstacles = [unseen_reason(a, b)]
    return not_one(a, b, obstacles, path)


def not_one(a: Identifier, b: Identifier, obstacles: Sequence[Reason], path: tuple[Link, ...] = ()) -> Explanation:
    """Of two who are not one person, or are not shown as one."""
    why = "; ".join(reason.message for reason in obstacles) or "not resolved yet"
    return Explanation(False, path, None, tuple(obstacles), f"{a.key} and {b.key} are not one person: {why}")


def _search(
    store: Store, policy: Policy, first: IdentifierRow, second: IdentifierRow, together: bool
) -> tuple[tuple[Link, ...], list[Reason]]:
    start = [row.number for row in (first, second) if not row.pruned]
    if not start:
        return (), []  # and neither history is read: a hub's is long
    numbers = component(store, start)
    here = around(store, policy, numbers, as_published=True)
    suppressed = suppressed_of(store, numbers.tolist())
    links, kept, number = here.resolution.links, here.resolution.groups.kept, here.resolution.identifiers.number
    refused: Bool = np.array(
        [(x, y) in suppressed for x, y in zip(number[links.a].tolist(), number[links.b].tolist(), strict=True)],
        dtype=np.bool_,
    )
    said = here.said(*sorted((first.number, second.number)))
    stated = [cannot_reason(first.identifier, second.identifier)] if said and said[1] and not together else []
    # Of two that are both beside these, only what was seen with one of these is here: less than what links them.
    tiers = (kept & ~refused if together else kept, here.inside[links.a] | here.inside[links.b])
    for allowed in tiers:
        rows = _strongest(here, allowed, first.number, second.number)
        if rows:
            path = tuple(
                link_of(here, row, suppressed.get((int(number[links.a[row]]), int(number[links.b[row]]))))
                for row in rows
            )
            return path, list(dict.fromkeys([*_obstacles(here, rows, path, policy), *stated]))
    return (), stated


def _strongest(here: Neighbourhood, allowed: Bool, start: int, end: int) -> list[int]:
    """Rows of links along the shortest of the paths whose weakest link is strongest; of two, that of the smaller keys.

    The path in a maximum spanning tree says how strong that link is; no path over stronger links exists.
    """
    import networkx as nx

    links, number = here.resolution.links, here.resolution.identifiers.number
    edges = [
        (int(number[links.a[row]]), int(number[links.b[row]]), {"weight": float(links.weight[row]), "row": row})
        for row in sorted(np.flatnonzero(allowed).tolist(), key=lambda row: _keys(here, row))
    ]
    graph: nx.Graph[int] = nx.Graph(edges)
    if start not in graph or end not in graph or not nx.has_path(graph, start, end):
        return []
    tree = nx.maximum_spanning_tree(graph)
    weakest = min(tree.edges[pair]["weight"] for pair in pairwise(nx.shortest_path(tree, start, end)))
    strong: nx.Graph[int] = nx.Graph(edge for edge in edges if edge[2]["weight"] >= weakest)
    came = dict(nx.bfs_predecessors(strong, start))  # breadth first, neighbours in the order of their keys
    nodes = [end]
    while nodes[-1] != start:
        nodes.append(came[nodes[-1]])
    return [strong.edges[pair]["row"] for pair in pairwise(reversed(nodes))]


def _keys(here: Neighbourhood, row: int) -> list[str]:
    links = here.resolution.links
    return sorted(identifier_at(here.resolution, int(end)).key for end in (links.a[row], links.b[row]))


def _obstacles(here: Neighbourhood, rows: Sequence[int], path: Sequence[Link], policy: Policy) -> list[Reason]:
    resolution = here.resolution
    found: dict[Reason, None] = {}
    for row, link in zip(rows, path, strict=True):
        if link.suppressed:
            found[link.suppressed] = None
        pruned = [end for end in (resolution.links.a[row], resolution.links.b[row]) if resolution.pruned[end] != JOINS]
        for end in pruned:
            found[pruned_reason(CODES[resolution.pruned[end]], identifier_at(resolution, end), policy)] = None
        if resolution.dropped[row] == WEAK:
            found[weak_reason(link.weight, policy)] = None
        if resolution.dropped[row] == EXPIRED:
            found[expired_reason(link.a, link.b, policy)] = None
    return list(found)


def _because(a: Identifier, b: Identifier, path: Sequence[Link], sure: float) -> str:
    if len(path) == 1:
        count = path[0].count
        seen = f"seen together in {'1 event' if count == 1 else f'{count:,} events'}"
        if path[0].kind is LinkKind.SIMILAR:
            seen = f"both seen with {' and '.join(one.key for one in path[0].shared)}"
        elif not count:
            seen = "an event stated it"
        return f"{a.key} and {b.key} are one person: {seen}, weight {sure:.2f}"
    return f"{a.key} and {b.key} are one person: {len(path)} links join them, the weakest with weight {sure:.2f}"
