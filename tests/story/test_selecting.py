"""Conditions over columns of everybody: the same persons as each person's facts, asked one by one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from identity_graph import IdentityGraph
from identity_graph.measure import parse_computed
from identity_graph.segment import Facts, parse_condition
from identity_graph.times import format_time
from tests.condition_trees import trees_of
from tests.conftest import law
from tests.story.worlds import START, event, new_graph, policies, tell

pytestmark = pytest.mark.usefixtures("each_store")

values = st.sampled_from(
    [True, False, 0, 1, 1.0, 2.5, -3, 2**53 + 1, "", "pro", "premium", "ü", [1], [1.0, "pro"], {"a": 1}]
)
names = st.sampled_from(["Order Completed", "Page Viewed", "Returned"])
traits = st.sampled_from(["plan", "age", "vip"])
moments = st.integers(0, 120).map(lambda day: START + day * 86_400_000_000)
keys = st.sampled_from(["email:a@example.org", "email:b@example.org", "user_id:a", "user_id:b", "cookie:c", "cookie:d"])


consents: st.SearchStrategy[dict[str, Any]] = st.just({}) | st.builds(
    lambda said: {"consent": said},
    st.dictionaries(st.sampled_from(["ads", "mail"]), st.sampled_from([True, False, "revoked", None]), max_size=2),
)


@st.composite
def lives(draw: st.DrawFn) -> list[Any]:
    """Events of a few people, at few times, so that there are ties."""
    return [
        event(
            f"e{number}",
            draw(st.sampled_from([0, 0, 1440, 60_000, 86_000])),
            *draw(st.lists(keys, min_size=1, max_size=2, unique=True)),
            source=draw(st.sampled_from(["web", "shop"])),
            name=draw(names),
            traits=draw(st.dictionaries(traits, values | st.just(format_time(START)), max_size=2)),
            properties=draw(st.dictionaries(st.sampled_from(["total", "item"]), values | st.none(), max_size=2))
            | draw(consents),
        )
        for number in range(draw(st.integers(0, 12)))
    ]


numbers = st.sampled_from([-3, 0, 1, 2.5, 2**53])
ranges = st.builds(lambda low: {"from": low}, numbers) | st.builds(lambda high: {"to": high}, numbers | st.just("pro"))
tests = st.one_of(
    st.builds(lambda value: {"equals": value}, values),
    st.builds(lambda given: {"in": given}, st.lists(values, min_size=1, max_size=3)),
    st.builds(lambda given: {"range": given}, ranges | st.just({"from": 0, "to": 2})),
    st.sampled_from([{"prefix": "pr"}, {"prefix": "ü"}, {"contains": "r"}, {"contains": 1}]),
    st.sampled_from([{"exists": True}, {"exists": False}, {"olderThan": "P30D"}, {"newerThan": "P61D"}]),
)
filters = st.fixed_dictionaries(
    {},
    optional={
        "names": st.lists(names, min_size=1, max_size=2),
        "sources": st.just(["shop"]),
        "within": st.sampled_from(["P30D", "P61D"]),
        "from": moments.map(format_time),
        "to": moments.map(format_time),
        "where": st.lists(st.fixed_dictionaries({"name": st.just("item"), "is": tests}), max_size=1),
    },
)
of_property = st.sampled_from(["SUM", "AVERAGE", "MINIMUM", "MAXIMUM", "DISTINCT", "MOST_FREQUENT", "COUNT", "LAST"])
measures = st.fixed_dictionaries({"measure": of_property, "property": st.sampled_from(["total", "item"])})
measures |= st.fixed_dictionaries({}, optional={"measure": st.sampled_from(["COUNT", "FIRST", "LAST", "DAYS_SINCE"])})
measured = st.builds(lambda one, other: one | other, filters, measures)
leaves = st.one_of(
    st.fixed_dictionaries({"name": traits, "is": tests}, optional={"stated": tests}).map(lambda one: {"trait": one}),
    st.builds(lambda of, is_: {"event": of | {"is": is_}}, measured, tests),
    st.lists(filters, min_size=2, max_size=3).map(lambda steps: {"sequence": {"steps": steps, "within": "P45D"}}),
    st.builds(lambda is_: {"computed": {"name": "c", "is": is_}}, tests),
    st.builds(
        lambda parts, is_: {"quantile": {"name": "c", "parts": parts, "is": is_}},
        st.integers(2, 5),
        st.sampled_from([{"equals": 1}, {"range": {"from": 2}}, {"in": [1, 3]}, {"exists": False}]),
    ),
    st.fixed_dictionaries(
        {"namespace": st.sampled_from(["email", "cookie", "phone"])},
        optional={"count": st.sampled_from([{"from": 2}, {"to": 0}, {"from": 1, "to": 1}])},
    ).map(lambda one: {"identifier": one}),
    st.builds(
        lambda purpose, is_: {"consent": {"purpose": purpose, "is": is_}},
        st.sampled_from(["ads", "mail"]),
        st.sampled_from([{"equals": "GRANTED"}, {"in": ["DENIED", "REVOKED"]}, {"exists": False}]),
    ),
    st.just({"segment": "s"}),
)
trees = trees_of(leaves, 5)


def one_by_one(graph: IdentityGraph, tree: dict[str, Any]) -> list[str]:
    saved = {one.name: one.condition for one in graph.segments.all()}
    met = parse_condition(tree, saved.get, graph.computed.all().get)
    everybody = [one.id for one in graph.people.page(limit=10_000)]
    facts = with_scores(graph, graph.people.facts(everybody))
    return [id for id, known in zip(everybody, facts, strict=True) if met(known, graph.clock())]


def with_scores(graph: IdentityGraph, facts: Sequence[Facts]) -> list[Facts]:
    """Of the computed trait c, in 2 to 5 parts: each person is compared with every other."""
    definition = graph.computed.all().get("c")
    if definition is None:
        return list(facts)
    values = [parse_computed(definition, "c")(known.events, graph.clock()) for known in facts]
    numbers = [one for one in values if isinstance(one, int | float) and not isinstance(one, bool)]
    scores = [
        {("c", parts): 1 + parts * sum(other < value for other in numbers) // len(numbers) for parts in range(2, 6)}
        if isinstance(value, int | float) and not isinstance(value, bool)
        else {}
        for value in values
    ]
    return [replace(known, scores=found) for known, found in zip(facts, scores, strict=True)]


def assert_meant(graph: IdentityGraph, asked: list[Any]) -> None:
    for tree in asked:
        meant = one_by_one(graph, tree)
        assert graph.segments.preview(tree) == (len(meant), meant[:10]), tree
        assert graph.segments.count(tree) == len(meant), tree


@law(40)
@given(lives(), policies, st.lists(trees, min_size=1, max_size=6), measured)
def test_columns_select_whom_the_condition_means(events, policy, asked, definition):  # type: ignore[no-untyped-def]
    with new_graph(policy) as graph:
        half = len(events) // 2
        tell(graph, events[:half])
        graph.computed.save("c", definition)
        graph.segments.save("s", "", {"trait": {"name": "plan", "is": {"exists": True}}})
        assert_meant(graph, asked)
        tell(graph, events[half:])  # what was read before is kept, and follows
        assert_meant(graph, asked)
        graph.ingest.events([event("late", 5, "email:a@example.org", traits={"plan": "pro"})])  # not resolved yet
        assert_meant(graph, asked)
        for victim in graph.people.page(limit=1):
            preview = graph.forget.preview(victim.id)
            assert preview
            graph.forget.erase(preview.token)
        assert_meant(graph, asked)
