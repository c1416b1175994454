"""Who is similar, found on the server: what comes back are those who are like anybody, and what they were seen with.

The server says who has anybody at least so similar. Whom, how similar, and which are the best few of equals then come
from the piece that compares everybody here, given these alone, with what they were seen with and by how many that is
shared. So the answer is one, to the last bit, however the server adds and whichever of equals it would keep.
"""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import numpy as np

from identity_graph.engines.arrays import dense
from identity_graph.engines.catalogue import Catalogue
from identity_graph.engines.known import Known
from identity_graph.policy import Policy, Similarity
from identity_graph.resolve.similar_links import MOST, Alike, SimilarLinks, pair
from identity_graph.resolve.similar_rules import NONE, heaviest, means_nobody
from identity_graph.tables import IdentifierTable, Int8

_SLACK = 1 - 1e-6  # the server's sums are not rounded as ours are
_LARGEST = 2**62  # number of a node
_SHARES, _ALIKE = "SHARES", "ALIKE"


def can_compare(policy: Policy, identifiers: IdentifierTable) -> bool:
    """Whether the server can hold the numbers of neighbours; of one or two namespaces it always can."""
    return all(_base(identifiers) ** len(rule.by) < _LARGEST for rule in policy.similarity)


def find_similar(known: Known, catalogue: Catalogue, pruned: Int8) -> SimilarLinks:
    """As `resolve.similar_rules` does."""
    if not known.policy.similarity:
        return NONE
    nobody = known.identifiers.number[means_nobody(pruned)].tolist()
    asked = {"nobody": nobody, "beside": known.beside(pruned)} | known.ageing()
    return heaviest(_of_rule(rule, known, catalogue, asked) for rule in known.policy.similarity)


def _of_rule(rule: Similarity, known: Known, catalogue: Catalogue, asked: dict[str, Any]) -> SimilarLinks:
    identifiers, database = known.identifiers, catalogue.database
    namespaces = {"between": list(rule.between), "by": list(rule.by)}
    base = _base(identifiers)
    with catalogue.graph() as (graph, gds):
        ((nodes, _),) = database.read(
            "engine/project_neighbours", graph=graph, type=_SHARES, base=base, most=MOST, **namespaces, **asked
        )
        if not nodes:
            return NONE
        gds.node_similarity.mutate(
            gds.graph.get(graph),
            mutate_relationship_type=_ALIKE,
            mutate_property="score",
            similarity_metric=rule.measure.upper(),
            similarity_cutoff=rule.min * _SLACK,
            top_k=1,  # enough to be named
            use_components=True,
            relationship_weight_property="weight",
            job_id=str(uuid4()),
        )
        (alike,) = database.one("engine/alike", graph=graph, type=_ALIKE)
        columns = database.one("engine/neighbours", graph=graph, type=_SHARES, property="shared_by", numbers=alike)
    compared, names, sharing = (np.array(column, np.int64) for column in columns)
    if not len(compared):
        return NONE
    digits, (names, first, neighbour) = [], np.unique(names, return_index=True, return_inverse=True)
    for _ in rule.by:
        names, digit = np.divmod(names, base)
        digits.append(dense(identifiers, digit))
    found = Alike.of(
        dense(identifiers, compared),
        neighbour.astype(np.int32),
        np.stack(digits, axis=1),
        identifiers.namespace,
        identifiers.namespaces,
        known.values,
        measure=rule.measure,
        least=rule.min,
        top_k=rule.top_k,
        shared_by=sharing[first].astype(np.int32),
    )
    links, _ = known.observed(np.concatenate(found.seen()))
    return found.links(pair(links.a, links.b), links.last_seen, rule.trust)


def _base(identifiers: IdentifierTable) -> int:
    return int(identifiers.number.max(initial=0)) + 1
