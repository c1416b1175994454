"""Evidence and rules that cannot be: each is refused by its code, and nothing at all is nobody."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from identity_graph.errors import InputError, PolicyError
from identity_graph.policy import Policy, Rule
from identity_graph.resolve import Resolution, resolve_links
from identity_graph.tables import EvidenceTable, IdentifierTable
from identity_graph.times import EARLIEST, LATEST

GOOD = EvidenceTable(
    a=np.array([0, 0, 1], np.int32),
    b=np.array([1, 1, 2], np.int32),
    source=np.array([0, 1, 0], np.int16),
    count=np.array([1, 1, 2**31 - 1], np.int32),
    first_seen=np.array([EARLIEST, 0, 0]),
    last_seen=np.array([LATEST, 0, 0]),
)


NOBODY: tuple[list[int], list[int]] = ([], [])


def resolved(
    evidence: EvidenceTable,
    n: int = 3,
    policy: Policy | None = None,
    stated: tuple[list[int], list[int]] = NOBODY,
    cannot: tuple[list[int], list[int]] = NOBODY,
) -> Resolution:
    must, apart = ((np.array(one, np.int32), np.array(other, np.int32)) for one, other in (stated, cannot))
    table = IdentifierTable(np.arange(n, dtype=np.int64), np.zeros(n, np.int16), ["user_id"])
    free = policy or Policy(default_rule=Rule(trust=1, limit=None))
    return resolve_links(table, [f"u{x}" for x in range(n)], evidence, must, ["s", "t"], free, cannot=apart)


def test_what_is_good_is_taken() -> None:
    assert resolved(GOOD).groups.label.tolist() == [0, 0, 0]


@pytest.mark.parametrize(
    ("column", "row", "value", "message"),
    [
        ("a", 2, -1, "link 2 is between no two"),
        ("b", 2, 3, "link 2 is between no two"),
        ("b", 2, 2**31 - 1, "link 2 is between no two"),
        ("b", 2, 1, "link 2 is between an identifier and itself"),
        ("a", 0, 2, "link 0 is between an identifier and itself, or its ends are not in order"),
        ("a", 2, 0, ""),  # still in order
        ("source", 1, 0, "link 1 does not come after"),
        ("b", 1, 2, ""),
        ("b", 0, 2, "link 1 does not come after"),
        ("source", 0, -1, "link 0 is of a source"),
        ("source", 1, 2, "link 1 is of a source"),
        ("count", 1, 0, "link 1 is of fewer events"),
        ("count", 1, -(2**31), "link 1 is of fewer events"),
        ("first_seen", 0, EARLIEST - 1, "link 0 was first seen"),
        ("last_seen", 0, LATEST + 1, "link 0 was first seen"),
        ("last_seen", 1, -1, "link 1 was first seen after"),
        ("last_seen", 1, -(2**63), "link 1 was first seen after"),
    ],
)
def test_a_link_that_cannot_be_is_named(column: str, row: int, value: int, message: str) -> None:
    changed = getattr(GOOD, column).copy()
    changed[row] = value
    evidence = replace(GOOD, **{column: changed})
    if message:
        with pytest.raises(InputError, match=message) as caught:
            resolved(evidence)
        assert caught.value.code == "FRAME_INVALID"
    else:
        assert resolved(evidence).groups.label.tolist() == [0, 0, 0]


def test_columns_of_different_lengths() -> None:
    with pytest.raises(InputError, match="not of one length: 3, 3, 3, 2, 3, 3"):
        resolved(replace(GOOD, count=GOOD.count[:2]))


@pytest.mark.parametrize("pair", [([0], [3]), ([-1], [0])])
def test_a_stated_pair_of_nobody(pair: tuple[list[int], list[int]]) -> None:
    for stated, cannot in ((pair, NOBODY), (NOBODY, pair)):
        with pytest.raises(InputError, match="between no two identifiers") as caught:
            resolved(GOOD, stated=stated, cannot=cannot)
        assert caught.value.code == "FRAME_INVALID"


def test_a_stated_pair_of_one_identifier_says_nothing() -> None:
    found = resolved(GOOD, stated=([2], [2]), cannot=([1], [1]))
    assert found.groups.label.tolist() == [0, 0, 0] and len(found.links) == 2


def test_more_identifiers_than_there_are_numbers() -> None:
    """Two to the thirty-one of them, in no memory."""
    many = IdentifierTable(np.broadcast_to(np.int64(0), (2**31,)), np.zeros(1, np.int16), ["user_id"])
    none = np.empty(0, np.int32)
    with pytest.raises(InputError, match="2,147,483,648 identifiers") as caught:
        resolve_links(many, [], GOOD, (none, none), ["s", "t"], Policy())
    assert caught.value.code == "FRAME_INVALID"


def test_more_links_than_there_are_places() -> None:
    columns: tuple[Any, ...] = (GOOD.a, GOOD.b, GOOD.source, GOOD.count, GOOD.first_seen, GOOD.last_seen)
    many = EvidenceTable(*(np.broadcast_to(column[:1], (2**31,)) for column in columns))
    with pytest.raises(InputError, match="2,147,483,648 links") as caught:
        resolved(many)
    assert caught.value.code == "FRAME_INVALID"


@pytest.mark.parametrize("n", [0, 1, 3])
def test_no_links_and_one_identifier_and_nobody(n: int) -> None:
    good = GOOD
    none = EvidenceTable(
        good.a[:0], good.b[:0], good.source[:0], good.count[:0], good.first_seen[:0], good.last_seen[:0]
    )
    for order in ("strongest", "newest", "cut"):
        found = resolved(none, n, replace(Policy.default(), order=order))
        assert found.groups.label.tolist() == list(range(n))
        assert len(found.links) == len(found.groups.suppressed) == len(found.dropped) == 0


@pytest.mark.parametrize(
    "wrong",
    [
        {"trust": float("nan")},
        {"trust": -0.1},
        {"trust": 1.1},
        {"limit": 0},
        {"limit": -1},
        {"hub_cap": 0},
        {"window": 0},
        {"half_life": -1},
        {"expires": 0},
    ],
)
def test_a_rule_that_cannot_be(wrong: dict[str, Any]) -> None:
    with pytest.raises(PolicyError, match=next(iter(wrong))) as caught:
        resolved(GOOD, policy=Policy(default_rule=replace(Rule(), **wrong)))
    assert caught.value.code == "POLICY_VALUE"


@pytest.mark.parametrize(
    "wrong",
    [
        {"min_weight": float("nan")},
        {"sources": {"t": float("nan")}},
        {"max_identifiers": 1},
        {"order": "oldest"},
    ],
)
def test_a_policy_that_cannot_be(wrong: dict[str, Any]) -> None:
    with pytest.raises(PolicyError) as caught:
        resolved(GOOD, policy=replace(Policy(), **wrong))
    assert caught.value.code == "POLICY_VALUE"
