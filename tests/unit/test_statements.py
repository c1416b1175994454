"""Of what was said about a pair the newest counts, and what keeps apart is heeded before what joins."""

from __future__ import annotations

from random import Random

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from identity_graph.policy import Policy
from identity_graph.resolve.statements import settle
from identity_graph.tables import StatementTable
from tests.unit.as_columns import event, identifiers, keys, resolved, suppressed

Statement = tuple[int, int, int, bool]
statements = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3), st.integers(0, 3), st.booleans()), max_size=12)


def settled(rows: list[Statement]) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    table = np.array(rows, np.int64).reshape(-1, 4)
    events = np.arange(len(table))
    must, cannot = settle(StatementTable(table[:, 0], table[:, 1], table[:, 2], table[:, 3].astype(np.bool_), events))
    return list(zip(*(c.tolist() for c in must), strict=True)), list(zip(*(c.tolist() for c in cannot), strict=True))


@given(statements, st.randoms(use_true_random=False))
def test_the_newest_statement_of_each_pair_counts(rows: list[Statement], random: Random) -> None:
    last: dict[tuple[int, int], tuple[int, bool]] = {}
    for a, b, time, apart in rows:
        if a != b:
            pair = (min(a, b), max(a, b))
            last[pair] = max(last.get(pair, (time, apart)), (time, apart))
    assert settled(rows) == (
        sorted(pair for pair, (_, apart) in last.items() if not apart),
        sorted(pair for pair, (_, apart) in last.items() if apart),
    )
    assert settled(random.sample(rows, len(rows))) == settled(rows)


def test_a_chain_of_stated_pairs_does_not_join_what_cannot_be_one_person() -> None:
    """The pair that is seen together keeps its link; that which was stated only, and so has no time, gives way."""
    same = [("email:a", "email:b"), ("email:b", "email:c")]
    events = [event("1", 5, "email:a", "email:b", same=same[:1]), event("2", 0, "email:b", same=[])]
    events.append(event("3", 0, "email:c", same=same[1:]))
    everyone = identifiers(resolved(events, Policy.default()))
    a, _, c = sorted(everyone)
    assert keys(resolved(events, Policy.default())) == {frozenset({"email:a", "email:b", "email:c"})}
    found = resolved(events, Policy.default(), cannot=[(a, c)])
    assert keys(found) == {frozenset({"email:a", "email:b"})}
    apart = frozenset({"email:a", "email:c"})
    assert suppressed(found) == {(frozenset({"email:b", "email:c"}), "CANNOT_LINK", apart)}


def test_what_was_seen_together_a_thousand_times_is_kept_apart_where_somebody_says_so() -> None:
    events = [event(str(n), n, "user_id:ann", "cookie:c") for n in range(1000)]
    ann, cookie = sorted(identifiers(resolved(events, Policy.default())), reverse=True)
    found = resolved(events, Policy.default(), cannot=[(cookie, ann)])
    assert keys(found) == set()
    pair = frozenset({"user_id:ann", "cookie:c"})
    assert suppressed(found) == {(pair, "CANNOT_LINK", pair)}


def test_an_identifier_is_never_apart_from_itself() -> None:
    events = [event("1", 1, "user_id:ann", "cookie:c")]
    ann = max(identifiers(resolved(events, Policy.default())))
    assert keys(resolved(events, Policy.default(), cannot=[(ann, ann)])) == {frozenset({"user_id:ann", "cookie:c"})}
