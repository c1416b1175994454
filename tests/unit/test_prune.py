"""Who joins nobody: values that mean nothing, namespaces of evidence only, hubs."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from identity_graph.policy import FEW, Blocked, Policy, Rule
from identity_graph.resolve.prune import (
    BLOCKED,
    CODES,
    EXPIRED,
    HUB,
    JOINS,
    NOT_JOINING,
    WEAK,
    prune_ends,
    prune_hubs,
    prune_links,
    prune_values,
)
from identity_graph.resolve.rules import Rules
from identity_graph.tables import Int8, LinkTable

SPACES = ["cookie", "email", "ip", "user_id"]
POLICY = Policy(
    namespaces={
        "cookie": Rule(limit=None, hub_cap=2),
        "email": Rule(limit=2, hub_cap=3),
        "ip": Rule(limit=None, joins=False, hub_cap=1),
        "user_id": Rule(limit=1, hub_cap=2),
    },
    blocked=Blocked(frozenset({"null"}), ("^[0]+$",), {"email": (frozenset({"a@b.c"}), ("^no-?reply@",))}),
)
RULES = Rules.of(POLICY, SPACES, [])


def spaces(*names: str) -> np.ndarray[tuple[int], np.dtype[np.int16]]:
    return np.array([SPACES.index(name) for name in names], np.int16)


@pytest.mark.parametrize(
    ("space", "value", "code"),
    [
        ("email", "ann@example.org", JOINS),
        ("email", "NULL", BLOCKED),
        ("cookie", "000", BLOCKED),
        ("cookie", "0001", JOINS),
        ("email", "A@B.c", BLOCKED),
        ("user_id", "a@b.c", JOINS),
        ("email", "No-Reply@shop.example", BLOCKED),
        ("ip", "203.0.113.7", NOT_JOINING),
        ("ip", "null", BLOCKED),
    ],
)
def test_values(space: str, value: str, code: int) -> None:
    assert prune_values(spaces(space), [value], POLICY, RULES).tolist() == [code]


@given(
    st.lists(
        st.tuples(st.sampled_from(SPACES), st.sampled_from(["null", "A@B.c", "no-reply@x", "000", "u"]) | st.text())
    )
)
def test_few_values_are_as_many(rows: list[tuple[str, str]]) -> None:
    names, values = [name for name, _ in rows], [value for _, value in rows]
    more = [*names, *([SPACES[0]] * FEW)], [*values, *("x" * FEW)]
    expected = prune_values(spaces(*more[0]), more[1], POLICY, RULES)[: len(rows)].tolist()
    assert prune_values(spaces(*names), values, POLICY, RULES).tolist() == expected


def hubs(names: list[str], pairs: list[tuple[int, int]], pruned: list[int] | None = None, known: Int8 | None = None):  # type: ignore[no-untyped-def]
    ends = np.array(sorted((min(p), max(p)) for p in pairs), np.int32).reshape(-1, 2)
    m = len(ends)
    links = LinkTable(ends[:, 0], ends[:, 1], np.ones(m), np.zeros(m, np.int64), np.zeros(m, np.bool_))
    start = np.array(pruned or [JOINS] * len(names), np.int8)
    return prune_hubs(links, np.zeros(m, np.int8), spaces(*names), start, RULES, 500, known).tolist()


def star(name: str, *others: str) -> tuple[list[str], list[tuple[int, int]]]:
    return [name, *others], [(0, n + 1) for n in range(len(others))]


@pytest.mark.parametrize(
    ("name", "others", "hub"),
    [
        ("cookie", ["user_id"] * 2, False),
        ("cookie", ["user_id"] * 3, True),  # three persons
        ("cookie", ["email"] * 4, False),  # a person may have two e-mails
        ("cookie", ["email"] * 5, True),
        ("cookie", ["email"] * 4 + ["user_id"] * 2, False),  # the same two persons, for all that is known
        ("cookie", ["cookie"] * 99, False),  # unlimited namespaces tell nothing of persons
        ("email", ["user_id"] * 3, False),
        ("email", ["user_id"] * 4, True),
        ("user_id", ["user_id"] * 3, True),
    ],
)
def test_hubs(name: str, others: list[str], hub: bool) -> None:
    assert hubs(*star(name, *others))[0] == (HUB if hub else JOINS)


def test_pruned_neighbours_do_not_count() -> None:
    names, pairs = star("cookie", *["user_id"] * 3)
    assert hubs(names, pairs, [JOINS, JOINS, JOINS, BLOCKED])[0] == JOINS
    assert hubs(names, pairs, [BLOCKED, JOINS, JOINS, JOINS])[0] == BLOCKED


def test_what_is_known_is_not_counted_again() -> None:
    names, pairs = star("cookie", *["user_id"] * 3)
    known = np.array([JOINS, HUB, -1, NOT_JOINING], np.int8)
    assert hubs(names, pairs, known=known) == [JOINS, HUB, JOINS, NOT_JOINING]
    assert hubs(names, pairs, known=np.full(4, -1, np.int8)) == hubs(names, pairs)


def test_all_hubs_are_found_at_once() -> None:
    """Two cookies that each know the same three users are hubs both: neither saves the other."""
    names = ["cookie", "cookie", "user_id", "user_id", "user_id"]
    pairs = [(0, 1)] + [(hub, user) for hub in (0, 1) for user in (2, 3, 4)]
    assert hubs(names, pairs) == [HUB, HUB, JOINS, JOINS, JOINS]


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)).filter(lambda p: p[0] != p[1]), unique_by=frozenset))
def test_more_links_never_make_fewer_hubs(pairs: list[tuple[int, int]]) -> None:
    names = ["cookie", "email", "user_id", "cookie", "email", "user_id", "email", "user_id", "email", "cookie"]
    fewer, all_of_them = hubs(names, pairs[: len(pairs) // 2]), hubs(names, pairs)
    assert all(after == HUB for before, after in zip(fewer, all_of_them, strict=True) if before == HUB)


def test_a_limit_with_a_window_counts_neighbours_of_all_time() -> None:
    """Else a hub could be one no more because a neighbour was seen again."""
    rules = {"cookie": Rule(limit=None, hub_cap=2), "user_id": Rule(limit=1, window=1)}
    windowed = Rules.of(Policy(namespaces=rules), SPACES, [])
    names, pairs = star("cookie", *["user_id"] * 3)
    links, none = table(pairs, [0, 50, 100]), np.zeros(4, np.int8)
    assert prune_hubs(links, none[:3], spaces(*names), none, windowed, 500)[0] == HUB


AGING = Rules.of(Policy(namespaces={"cookie": Rule(expires=10), "email": Rule(expires=99)}), SPACES, [])


def table(pairs: list[tuple[int, int]], times: list[int], must: bool = False, weight: float = 1.0) -> LinkTable:
    ends, m = np.array(pairs, np.int32).reshape(-1, 2), len(pairs)
    return LinkTable(ends[:, 0], ends[:, 1], np.full(m, weight), np.array(times), np.full(m, must))


@pytest.mark.parametrize(
    ("pair", "time", "expired"),
    [
        (["cookie", "user_id"], 90, False),  # just as old as may be
        (["cookie", "user_id"], 89, True),
        (["user_id", "cookie"], 89, True),
        (["cookie", "email"], 89, True),  # the shorter of the two
        (["email", "user_id"], 1, False),
        (["email", "user_id"], 0, True),
        (["user_id", "ip"], -(2**60), False),  # neither expires
        (["cookie", "user_id"], 2**60, False),  # from the future
    ],
)
def test_links_expire_by_the_shorter_age_of_their_ends(pair: list[str], time: int, expired: bool) -> None:
    links = [table([(0, 1)], [time], must=stated) for stated in (False, True)]
    found = [prune_links(one, spaces(*pair), AGING, 0.2, 100).tolist() for one in links]
    assert found == [[EXPIRED if expired else JOINS], [JOINS]]


def test_expired_links_make_no_hub() -> None:
    names, pairs = star("cookie", *["user_id"] * 3)
    links, none = table(pairs, [0, 0, 0]), np.zeros(4, np.int8)
    for code, hub in ((JOINS, HUB), (WEAK, HUB), (EXPIRED, JOINS)):
        dropped = np.array([code, JOINS, JOINS], np.int8)
        assert prune_hubs(links, dropped, spaces(*names), none, RULES, 500)[0] == hub


@pytest.mark.parametrize(
    ("name", "cap", "code", "hub"),
    [
        ("cookie", 3, JOINS, False),
        ("cookie", 2, JOINS, True),
        ("email", 2, JOINS, True),
        ("user_id", 2, JOINS, False),  # a person has one: it may own the others
        ("cookie", 2, WEAK, False),  # what does not join makes nobody larger
    ],
)
def test_what_would_alone_be_too_large_a_person_is_a_hub(name: str, cap: int, code: int, hub: bool) -> None:
    names, pairs = star(name, *["cookie"] * 3)
    dropped = np.array([code, JOINS, JOINS], np.int8)
    found = prune_hubs(table(pairs, [0, 0, 0]), dropped, spaces(*names), np.zeros(4, np.int8), RULES, cap)
    assert found.tolist() == [HUB if hub else JOINS, JOINS, JOINS, JOINS]


@pytest.mark.parametrize(
    ("ends", "weight", "must", "code"),
    [
        ((JOINS, JOINS), 0.2, False, JOINS),
        ((JOINS, JOINS), 0.19, False, WEAK),
        ((JOINS, JOINS), 0.0, True, JOINS),
        ((JOINS, HUB), 0.0, False, HUB),
        ((BLOCKED, JOINS), 0.9, True, BLOCKED),
        ((NOT_JOINING, BLOCKED), 0.9, False, NOT_JOINING),
    ],
)
def test_each_link_that_does_not_count_says_why(ends: tuple[int, int], weight: float, must: bool, code: int) -> None:
    links = table([(0, 1)], [0], must, weight)
    own = prune_links(links, spaces("user_id", "user_id"), AGING, 0.2, 100)
    found = prune_ends(links, own, np.array(ends, np.int8))
    assert found.tolist() == [code] and found.dtype == np.int8
    assert CODES[code] in ("", "BLOCKED", "NOT_JOINING", "HUB", "EXPIRED", "WEAK")


def test_nobody_at_all() -> None:
    assert prune_values(spaces(), [], POLICY, RULES).tolist() == [] == hubs([], [])
