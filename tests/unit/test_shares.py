"""Identifiers and links dealt to shares: everybody who is of some component once, and all links, with their keys."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from identity_graph.resolve import shares, threads
from identity_graph.resolve.components import components
from identity_graph.resolve.members import Members
from identity_graph.resolve.shares import DIGITS, KEY, deal
from identity_graph.tables import LinkTable


@settings(max_examples=150, deadline=None)
@given(
    st.integers(0, 2**32),
    st.integers(1, 60),
    st.sampled_from([1, 5, 2**14]),
    st.sampled_from([0, 2**62]),
    st.booleans(),
)
def test_components_are_dealt_whole(seed: int, n: int, share: int, few: int, newest: bool) -> None:
    dice = np.random.default_rng(seed)
    m = int(dice.choice([0, 5, 30, 3000]))
    a, b = dice.integers(0, n, (2, m)).astype(np.int32)
    kept = dice.random(m) < dice.random()
    weight, seen = dice.random(m), dice.integers(-(2**59), 2**59, m)
    label = components(n, a[kept], b[kept])
    kind = np.where(label == np.arange(n), dice.integers(0, 4, n), 0).astype(np.int8)
    space, chosen = dice.integers(0, 9, n).astype(np.int16), np.flatnonzero(kind).astype(np.int32)
    links = LinkTable(a, b, weight, seen, np.zeros(m, np.bool_))
    one, other = dice.integers(0, n, (2, 5)).astype(np.int32)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shares, "_SHARE", share)
        patch.setattr(threads, "_FEW", few)
        members = Members.of(label, chosen)
        found = deal(label, space, members, kind[chosen], links, kept, (one, other), newest=newest)
    assert members.many.sum(axis=0).tolist() == np.bincount(label, minlength=n)[chosen].tolist()
    assert sorted(x for own in found for x in own.inside.tolist()) == np.flatnonzero(kind[label] > 0).tolist()
    dealt: list[int] = []
    pairs: list[tuple[int, int]] = []
    for own in found:
        assert (np.diff(own.inside) > 0).all() and (kind[label[own.inside]] == own.kind).all()
        assert len(own.inside) <= share or len(set(label[own.inside].tolist())) == 1
        assert (space[own.inside] == own.namespace).all()
        rows, ends, others, key = own.links()
        assert (np.diff(rows) > 0).all()
        assert (own.inside[ends] == a[rows]).all() and (own.inside[others] == b[rows]).all()
        column = -seen[rows] if newest else np.rint(weight[rows] * -DIGITS).astype(np.int64)
        order = np.lexsort((key, column))
        assert (np.diff(column[order]) >= 0).all() and (np.diff(key[order].astype(np.int64)) >= 0).all()
        assert key.dtype == np.uint32 and KEY == 32
        dealt += rows.tolist()
        pairs += zip(own.inside[own.cannot[0]].tolist(), own.inside[own.cannot[1]].tolist(), strict=True)
    assert sorted(dealt) == np.flatnonzero(kept & (kind[label[a]] > 0)).tolist()
    within = (label[one] == label[other]) & (kind[label[one]] > 0)
    assert sorted(pairs) == sorted(zip(one[within].tolist(), other[within].tolist(), strict=True))
    assert [len(own.inside) for own in found] == sorted((len(own.inside) for own in found), reverse=True)
