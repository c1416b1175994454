"""The links that the order `cut` takes last: what is least to cut, component by component."""

from __future__ import annotations

import numpy as np

from identity_graph.resolve.components import components
from identity_graph.resolve.forest import Forest
from identity_graph.resolve.multiway import Matrix, Vector, least_cut
from identity_graph.resolve.part import Limits, Part, runs
from identity_graph.tables import Bool, Int64

LARGEST = 60
"""The most identifiers of a component that is cut exactly: no more than a word has bits."""

BUDGET = 400_000_000
"""What one component may take, in steps times the square of its nodes: about a tenth of a second, for most steps see
few of the nodes. Stars and trees of LARGEST nodes take less, meshes with many values of several limits more."""

_SCALE = 10**9


def cut_links(part: Part, forest: Forest, limits: Limits) -> tuple[Bool, Bool]:
    """Which links of an ordered part lie across the cheapest divisions of its components, bool[m]; and which
    identifiers are of components that were divided exactly, bool[n]: they have at most LARGEST of them and took no
    more than BUDGET.

    Cheapest is the least sum of weights, to nine digits; of equal ones that of the older links. `forest` is the
    division to improve on, that of the strongest links. Stated links that it joined are never cut.
    """
    cut: Bool = np.zeros(len(part.a), dtype=np.bool_)
    exact: Bool = np.zeros(len(part), dtype=np.bool_)
    label = components(len(part), part.a, part.b)
    stated = part.must() & (forest.label[part.a] == forest.label[part.b])
    bound = components(len(part), part.a[stated], part.b[stated])
    rows_of = {int(label[part.a[rows[0]]]): rows for rows in runs(label[part.a])}
    for inside in runs(label):
        if len(inside) <= LARGEST:
            rows = rows_of[int(label[inside[0]])]
            nodes, node = np.unique(bound[inside], return_inverse=True)
            a, b = (node[np.searchsorted(inside, ends[rows])] for ends in (part.a, part.b))
            capacity = _capacity(part, rows, a, b, len(nodes))
            held, most = _held(part, inside, node, len(nodes), limits)
            block = forest.label[nodes].astype(np.int64)
            if least_cut(capacity, held, most, block, BUDGET // len(nodes) ** 2) >= 0:
                cut[rows] = block[a] != block[b]
                exact[inside] = True
    return cut, exact


def _capacity(part: Part, rows: Int64, a: Int64, b: Int64, k: int) -> Matrix:
    """Of m links: their weights, and in digits beyond all of these their ranks in time."""
    _, rank = np.unique(part.last_seen(rows), return_inverse=True)
    whole = np.round(part.weight(rows) * _SCALE).astype(np.int64) * (len(rows) * (len(rows) - 1) // 2 + 1) + rank
    capacity = np.zeros((k, k), dtype=np.int64)
    between = a != b
    np.add.at(capacity, (a[between], b[between]), whole[between])
    return capacity + capacity.T


def _held(part: Part, inside: Int64, node: Int64, k: int, limits: Limits) -> tuple[Matrix, Vector]:
    """A column for each set of identifiers of which only some may be together: the values of a limit, those of each of
    its windows, the two that must not be one; and how many may be."""
    sets: list[tuple[Int64, int]] = []
    for space, most, window in zip(limits.spaces, limits.most.tolist(), limits.window.tolist(), strict=True):
        own = np.flatnonzero(part.namespace[inside] == space)
        seen = part.seen(inside[own])
        ends = np.unique(seen).tolist() if window >= 0 else [None]
        sets += [(own if end is None else own[(seen <= end) & (seen > end - window)], most) for end in ends]
    held = np.isin(part.cannot[0], inside) & np.isin(part.cannot[1], inside)
    pairs = (np.searchsorted(inside, end[held]) for end in part.cannot)
    sets += [(np.array(pair), 1) for pair in zip(*pairs, strict=True)]
    sets = [(own, most) for own, most in sets if len(own) > most]
    columns = np.zeros((k, len(sets)), dtype=np.int64)
    for column, (own, _) in enumerate(sets):
        np.add.at(columns[:, column], node[own], 1)
    return columns, np.array([most for _, most in sets], dtype=np.int64)
