"""Evidence to groups of identifiers, as pure functions over columns: fold, weigh, prune, group.

`resolve` is the pipeline up to the groups; `persons.assign` then gives groups their ids.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from identity_graph.policy import Policy
from identity_graph.resolve.checks import check_evidence
from identity_graph.resolve.fold import NOBODY, Apart, fold
from identity_graph.resolve.groups import Groups, group
from identity_graph.resolve.part import NO_PAIRS
from identity_graph.resolve.prune import JOINS, prune_ends, prune_hubs, prune_links, prune_values
from identity_graph.resolve.rules import Rules
from identity_graph.resolve.shares import Pairs
from identity_graph.resolve.similar_links import SimilarLinks
from identity_graph.resolve.similar_rules import find_similar, take_up
from identity_graph.resolve.weights import weigh
from identity_graph.tables import (
    EvidenceTable,
    IdentifierTable,
    Int8,
    Int16,
    Int32,
    Int64,
    LinkTable,
    ObservationTable,
    StatementTable,
)


@dataclass(frozen=True, slots=True)
class Resolution:
    """What `resolve` found, by dense identifier: positions in `identifiers.number`. Sources are numbered by name.

    `links` are all of them, those of `similar` among them. `pruned` int8[n] says of identifiers and `dropped` int8[m]
    of links why they do not count, by `prune.CODES`.
    """

    identifiers: IdentifierTable
    values: Sequence[str]
    sources: Sequence[str]
    rules: Rules
    evidence: EvidenceTable
    links: LinkTable
    similar: SimilarLinks
    pruned: Int8
    dropped: Int8
    groups: Groups


def resolve(
    identifiers: IdentifierTable,
    values: Sequence[str],
    observations: ObservationTable,
    stated: tuple[Int64, Int64],
    sources: Sequence[str],
    policy: Policy,
    *,
    cannot: tuple[Int64, Int64] | None = None,
    said: StatementTable | None = None,
    known: Int8 | None = None,
    similar: SimilarLinks | None = None,
    now: int | None = None,
) -> Resolution:
    """Group identifiers by the evidence of observations and stated pairs, under the policy.

    `observations`, `stated` and `cannot` use the store's numbers, all of which are in `identifiers`. `stated` pairs are
    one person, whatever the limits; `cannot` pairs never are, whatever is stated; `said` is as for `fold_links`. Where
    only a part of everything is here, `known` int8[n] gives the pruning of identifiers whose links are not all here
    (-1: find it), and `similar`, of dense identifiers, what the policy's rules of similarity found of all. The answer
    depends on the evidence only: not on its order, nor on how identifiers are numbered. Evidence ages to `now`, the
    newest time in it when left out: never to the clock.
    """
    evidence = fold_links(identifiers, values, observations, sources, policy, said=said)
    if now is None:
        now = int(observations.time.max()) if len(observations) else 0
    must = (_dense(identifiers, stated[0]), _dense(identifiers, stated[1]))
    apart = NO_PAIRS if cannot is None else (_dense(identifiers, cannot[0]), _dense(identifiers, cannot[1]))
    return resolve_links(
        identifiers,
        values,
        evidence,
        must,
        sorted(sources),
        policy,
        cannot=apart,
        known=known,
        similar=similar,
        now=now,
    )


def fold_links(
    identifiers: IdentifierTable,
    values: Sequence[str],
    observations: ObservationTable,
    sources: Sequence[str],
    policy: Policy,
    *,
    said: StatementTable | None = None,
) -> EvidenceTable:
    """The links of observations, of dense identifiers, and of sources numbered by name. Of what is `said` by their
    events, the pairs that one keeps apart it did not see together."""
    return fold(
        observations.event,
        _dense(identifiers, observations.identifier),
        observations.time,
        _by_name(observations.source, sources),
        namespace=identifiers.namespace,
        namespaces=identifiers.namespaces,
        values=values,
        priority=Rules.of(policy, identifiers.namespaces, ()).priority,
        pairwise_up_to=policy.pairwise_up_to,
        apart=_kept_apart(identifiers, said) if said is not None and said.apart.any() else NOBODY,
    )


def _kept_apart(identifiers: IdentifierTable, said: StatementTable) -> Apart:
    """Of what events say of identifiers of this table."""
    here = np.isin(said.a, identifiers.number) & np.isin(said.b, identifiers.number) & said.apart
    return said.event[here], _dense(identifiers, said.a[here]), _dense(identifiers, said.b[here])


def resolve_links(
    identifiers: IdentifierTable,
    values: Sequence[str],
    evidence: EvidenceTable,
    stated: tuple[Int32, Int32],
    sources: Sequence[str],
    policy: Policy,
    *,
    cannot: Pairs = NO_PAIRS,
    known: Int8 | None = None,
    similar: SimilarLinks | None = None,
    now: int = 0,
) -> Resolution:
    """As `resolve`, from links that are folded already: of dense identifiers, and of sources numbered by name. Raises
    FRAME_INVALID for links that cannot be."""
    check_evidence(len(identifiers), evidence, (*stated, *cannot), len(sources))
    namespace = identifiers.namespace
    rules = Rules.of(policy, identifiers.namespaces, sources)
    links = weigh(evidence, (np.minimum(*stated), np.maximum(*stated)), namespace, rules, now=now)
    pruned = prune_values(namespace, values, policy, rules)
    dropped = prune_links(links, namespace, rules, policy.min_weight, now)
    pruned = prune_hubs(links, dropped, namespace, pruned, rules, policy.max_identifiers, known)
    if similar is None:
        similar = find_similar(identifiers, values, evidence, links, dropped, pruned, policy)
    links = take_up(links, similar)
    dropped = prune_ends(links, prune_links(links, namespace, rules, policy.min_weight, now), pruned)
    two = cannot[0] != cannot[1]
    apart = (cannot[0][two], cannot[1][two])
    groups = group(links, dropped == JOINS, pruned == JOINS, namespace, values, policy, rules, apart)
    return Resolution(identifiers, values, sources, rules, evidence, links, similar, pruned, dropped, groups)


def _dense(identifiers: IdentifierTable, numbers: Int64) -> Int32:
    last = int(identifiers.number[-1]) if len(identifiers) else -1
    if last < 4 * len(identifiers) + 1024:  # nearly every number is in use: look up, rather than search
        position = np.zeros(last + 2, dtype=np.int32)
        position[identifiers.number] = np.arange(len(identifiers), dtype=np.int32)
        return position[numbers]
    return np.searchsorted(identifiers.number, numbers).astype(np.int32)


def _by_name(source: Int16, sources: Sequence[str]) -> Int16:
    """Sources numbered by name: sums of floats must not depend on which source came first."""
    rank = {name: position for position, name in enumerate(sorted(sources))}
    positions = np.array([rank[name] for name in sources] or [0], dtype=np.int16)
    return positions[source]
