"""What a condition tree may not be; each error names the place."""

from __future__ import annotations

from typing import Any

import pytest

from identity_graph.errors import InputError
from identity_graph.segment import parse_condition

TEST = {"exists": True}
PRO = {"trait": {"name": "plan", "is": {"equals": "pro"}}}


def refused(tree: Any, segments: dict[str, Any] | None = None) -> str:
    with pytest.raises(InputError) as caught:
        parse_condition(tree, (segments or {}).get)
    assert caught.value.code == "CONDITION_INVALID" and caught.value.help
    return caught.value.message


@pytest.mark.parametrize(
    ("tree", "path"),
    [
        (None, ""),
        ([], ""),
        ({}, ""),
        ("all", ""),
        ({"some": []}, ""),
        ({"all": [PRO], "any": [PRO]}, ""),
        ({"all": []}, ".all"),
        ({"any": "ab"}, ".any"),
        ({"all": PRO}, ".all"),
        ({"all": [PRO, {}]}, ".all[1]"),
        ({"not": {"any": [{"x": 1}]}}, ".not.any[0]"),
        ({"not": None}, ".not"),
        ({"segment": "none"}, ".segment"),
        ({"segment": 5}, ".segment"),
        ({"segment": []}, ".segment"),
        ({"trait": {}}, ".trait"),
        ({"trait": {"name": "x"}}, ".trait"),
        ({"trait": "x"}, ".trait"),
        ({"trait": {"name": "", "is": TEST}}, ".trait.name"),
        ({"trait": {"name": 5, "is": TEST}}, ".trait.name"),
        ({"trait": {"name": "x", "is": None}}, ".trait.is"),
        ({"trait": {"name": "x", "is": {"range": {}}}}, ".trait.is.range"),
        ({"trait": {"name": "x", "is": TEST, "was": 1}}, ".trait"),
        ({"identifier": {}}, ".identifier"),
        ({"identifier": {"namespace": ""}}, ".identifier.namespace"),
        ({"identifier": {"namespace": "email", "count": 2}}, ".identifier.count"),
        ({"quantile": {"name": "c", "is": TEST}}, ".quantile"),
        ({"quantile": {"name": "c", "parts": 1, "is": TEST}}, ".quantile.parts"),
        ({"quantile": {"name": "c", "parts": 101, "is": TEST}}, ".quantile.parts"),
        ({"quantile": {"name": "c", "parts": True, "is": TEST}}, ".quantile.parts"),
        ({"quantile": {"name": "c", "parts": 5, "is": TEST}}, ".quantile.name"),
        ({"event": {}}, ".event"),
        ({"event": {"is": {"equals": 1, "in": [2]}}}, ".event.is"),
    ],
)
def test_a_node(tree: Any, path: str) -> None:
    assert refused(tree).startswith(f"condition{path}: ")


@pytest.mark.parametrize(
    ("given", "path"),
    [
        ({"who": 1}, ""),
        ({"measure": "MEDIAN"}, ".measure"),
        ({"measure": []}, ".measure"),
        ({"measure": "SUM"}, ""),
        ({"measure": "DISTINCT"}, ""),
        ({"property": ""}, ".property"),
        ({"names": "Bought"}, ".names"),
        ({"names": []}, ".names"),
        ({"sources": [5]}, ".sources"),
        ({"sources": []}, ".sources"),
        ({"where": "x"}, ".where"),
        ({"where": [{}]}, ".where[0]"),
        ({"where": [{"name": 1, "is": TEST}]}, ".where[0].name"),
        ({"where": [{"name": "x", "is": TEST}, {"name": "x", "is": {"prefix": 1}}]}, ".where[1].is.prefix"),
        ({"within": "lately"}, ".within"),
        ({"within": 30}, ".within"),
        ({"from": "then"}, ".from"),
        ({"to": True}, ".to"),
    ],
)
def test_an_event(given: dict[str, Any], path: str) -> None:
    assert refused({"event": {"is": TEST, **given}}).startswith(f"condition.event{path}: ")


def test_a_place_in_another_segment() -> None:
    assert refused({"not": {"segment": "bad"}}, {"bad": {"any": [{}]}}).startswith(
        "condition.not.segment(bad).any[0]: "
    )


def test_a_circle() -> None:
    for segments in ({"a": {"segment": "a"}}, {"a": {"not": {"segment": "b"}}, "b": {"all": [PRO, {"segment": "a"}]}}):
        assert "'a' contains itself" in refused({"segment": "a"}, segments)


def test_a_tree_of_more_than_sixteen_levels() -> None:
    def nested(depth: int) -> Any:
        return {"not": nested(depth - 1)} if depth else PRO

    parse_condition(nested(16))
    assert "too deep" in refused(nested(17)) and "too deep" in refused(nested(400))
    chain = {str(n): {"segment": str(n + 1)} for n in range(20)} | {"20": PRO}
    parse_condition({"segment": "5"}, chain.get)
    assert "too deep" in refused({"segment": "3"}, chain)


def test_segments_that_multiply_each_other() -> None:
    """Seven small segments, each naming the next ten times, would be ten million conditions."""
    segments: dict[str, Any] = {str(n): {"any": [{"segment": str(n + 1)}] * 10} for n in range(7)} | {"7": PRO}
    assert "too large" in refused({"segment": "0"}, segments)
    parse_condition({"segment": "5"}, segments.get)


def test_a_tree_of_more_than_a_thousand_nodes() -> None:
    parse_condition({"any": [PRO] * 999})
    assert "too large" in refused({"any": [PRO] * 1000})
