"""The price of a document: exact on small ones, linear on hostile ones."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    parse,
)
from hypothesis import given
from hypothesis import strategies as st

from identity_graph.api import cost
from identity_graph.api.cost import check_cost
from identity_graph.errors import QueryError
from tests.api.steps import steps

PAGED = frozenset({"persons", "journey"})


def refusal(text: str) -> str | None:
    """The code with which a document is refused."""
    try:
        check_cost(parse(text), PAGED)
    except QueryError as error:
        return error.code
    return None


def deep(levels: int) -> str:
    return "{" + "a{" * (levels - 1) + "a" + "}" * levels


def names(number: int) -> str:
    return " ".join(f"a{i}" for i in range(number))


@pytest.mark.parametrize(
    ("make", "limit"),
    [
        (deep, cost.MAX_DEPTH),
        (lambda n: "{" + " ".join(f"a{i}: a" for i in range(n)) + "}", cost.MAX_ROOTS),
        (lambda n: "mutation {" + " ".join(f"a{i}: a" for i in range(n)) + "}", cost.MAX_MUTATIONS),
        (lambda n: "{ r {" + " ".join(f"a{i}: a" for i in range(n - 1)) + "} }", cost.MAX_FIELDS),
        (lambda n: " ".join(f"query q{i} {{ a }}" for i in range(n)), cost.MAX_OPERATIONS),
        # Every two of so many in one place: 63 * 62 / 2 = 1,953.
        (lambda n: "{ r {" + " a" * n + "} }", 63),
        (lambda n: "{ r { a {" + " b" * n + "} a { c } } }", 63),
        (lambda n: "{" + " ...f" * (n - 1) + "...g } fragment f on T { ...g } fragment g on T { a }", 28),
        (lambda n: "{ a " + "@d " * n + "}", cost.MAX_DIRECTIVES),
        (lambda n: "{ ...f } fragment f on T {" + " ".join(f"a{i}: a" for i in range(n)) + "}", cost.MAX_ROOTS),
        (lambda n: "{ a { ...f } } fragment f on T " + deep(n - 1), cost.MAX_DEPTH),
        (lambda n: "{" + "...on T {" * (n - 1) + "a" + "}" * n, cost.MAX_LEVELS),
        (lambda n: "{ a(b: " + "{c: " * (n - 1) + "1" + "}" * (n - 1) + ") }", cost.MAX_LEVELS),
        (lambda n: "{ a @d(b: 1) @d(b: " + "[" * (n - 1) + "1" + "]" * (n - 1) + ") }", cost.MAX_LEVELS),
        (lambda n: "{ ...on T { a(b: 1, c: " + "[" * (n - 1) + "1" + "]" * (n - 1) + ") } }", cost.MAX_LEVELS),
        (
            lambda n: "query ($v: V = " + "{c: [" * (n // 2) + ("{}" if n % 2 else "") + "]}" * (n // 2) + ") { a }",
            cost.MAX_LEVELS,
        ),
    ],
)
def test_a_limit_is_reached_and_not_passed(make: Callable[[int], str], limit: int) -> None:
    assert refusal(make(limit)) is None
    assert refusal(make(limit + 1)) == "QUERY_TOO_COMPLEX"


@pytest.mark.parametrize(
    ("text", "accepted"),
    [
        (f"{{ persons(first: 100) {{ nodes {{ journey(first: 100) {{ nodes {{ {names(48)} }} }} }} }} }}", True),
        (f"{{ persons(first: 100) {{ nodes {{ journey(first: 100) {{ nodes {{ {names(50)} }} }} }} }} }}", False),
        (f"{{ persons(first: 10) {{ nodes {{ journey(first: 100) {{ nodes {{ {names(50)} }} }} }} }} }}", True),
        (f"query ($n: Int) {{ persons(first: $n) {{ a {{ journey(last: $n) {{ b {{ {names(50)} }} }} }} }} }}", False),
        (f"{{ persons {{ a {{ journey {{ b {{ {names(50)} }} }} }} }} }}", True),
        ("{ people(by: [{id: 1}, {id: 2}]) { journey(first: 100) { b { journey(first: 100) { a b } } } } }", True),
        ("query ($b: X) { people(by: $b) { journey(first: 100) { b { journey(first: 100) { a } } } } }", False),
        (
            f"{{ persons(first: 99999999999999999999) {{ a {{ journey(first: 100) {{ b {{ {names(48)} }} }} }} }} }}",
            True,
        ),
    ],
)
def test_pages_inside_pages_multiply(text: str, accepted: bool) -> None:
    assert refusal(text) == (None if accepted else "QUERY_TOO_COMPLEX")


def test_circles_and_unknown_fragments_are_refused() -> None:
    assert refusal("{ ...f } fragment f on T { ...g } fragment g on T { a { ...f } }") == "QUERY_INVALID"
    assert refusal("{ ...f } fragment f on T { ...f }") == "QUERY_INVALID"
    assert refusal("{ ...nowhere }") == "QUERY_INVALID"
    assert refusal("{ ...f } fragment f on T { ... on T { ...nowhere } }") == "QUERY_INVALID"


DOUBLING = "{ ...f0 } " + " ".join(f"fragment f{i} on T {{ ...f{i + 1} ...f{i + 1} }}" for i in range(600))
NESTED = "{ ...f0 } " + " ".join(
    f"fragment f{i} on T {{ a {{ ...f{i + 1} }} b {{ ...f{i + 1} }} }}" for i in range(400)
)
CHAIN = (
    "{ ...f0 } " + " ".join(f"fragment f{i} on T {{ ...f{i + 1} }}" for i in range(1_200)) + " fragment f1200 on T {a}"
)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (DOUBLING + " fragment f600 on T { a }", "QUERY_TOO_COMPLEX"),
        (NESTED + " fragment f400 on T { a }", "QUERY_TOO_COMPLEX"),
        (CHAIN, "QUERY_TOO_COMPLEX"),
    ],
)
def test_fragments_of_fragments_cost_no_more_than_their_text(text: str, code: str) -> None:
    document = parse(text)
    with pytest.raises(QueryError) as caught:
        steps(lambda: check_cost(document, PAGED), within=cost.__file__, most=20 * len(text.split()))
    assert caught.value.code == code


def expanded(document: DocumentNode) -> tuple[int, int]:
    """Depth and number of fields by writing every spread out: the oracle, exponential."""
    fragments = {d.name.value: d for d in document.definitions if isinstance(d, FragmentDefinitionNode)}

    def of(selections: SelectionSetNode) -> tuple[int, int]:
        depth = fields = 0
        for node in selections.selections:
            if isinstance(node, FieldNode):
                below = of(node.selection_set) if node.selection_set else (0, 0)
                found = (below[0] + 1, below[1] + 1)
            elif isinstance(node, FragmentSpreadNode):
                found = of(fragments[node.name.value].selection_set)
            else:
                assert isinstance(node, InlineFragmentNode)
                found = of(node.selection_set)
            depth, fields = max(depth, found[0]), fields + found[1]
        return depth, fields

    (operation,) = (d for d in document.definitions if isinstance(d, OperationDefinitionNode))
    return of(operation.selection_set)


def selections(names: list[str]) -> st.SearchStrategy[str]:
    leaf = st.sampled_from(["a", "b", "c: a", *(f"...{name}" for name in names)])
    body = st.recursive(
        st.lists(leaf, min_size=1, max_size=3).map(" ".join),
        lambda inner: st.lists(
            st.one_of(leaf, inner.map(lambda s: f"d {{ {s} }}"), inner.map(lambda s: f"... on T {{ {s} }}")),
            min_size=1,
            max_size=3,
        ).map(" ".join),
        max_leaves=6,
    )
    return body.map(lambda text: f"{{ {text} }}")


@st.composite
def documents(draw: st.DrawFn) -> str:
    names = [f"f{number}" for number in range(draw(st.integers(0, 4)))]
    parts = ["query " + draw(selections(names)).removesuffix("}") + " ".join(f"...{name}" for name in names) + "}"]
    for number, name in enumerate(names):
        parts.append(f"fragment {name} on T " + draw(selections(names[number + 1 :])))
    return " ".join(draw(st.permutations(parts)))


@given(documents())
def test_the_sums_are_those_of_the_written_out_document(text: str) -> None:
    document = parse(text)
    depth, fields = expanded(document)
    outcome = refusal(text)
    fits = depth <= cost.MAX_DEPTH and fields <= cost.MAX_FIELDS
    if fits and fields <= 20:
        assert outcome is None
    if not fits:
        assert outcome == "QUERY_TOO_COMPLEX"
    fragments = {
        d.name.value: cost._walk(d, PAGED) for d in document.definitions if isinstance(d, FragmentDefinitionNode)
    }
    (operation,) = (d for d in document.definitions if isinstance(d, OperationDefinitionNode))
    total = cost._total(cost._walk(operation, PAGED), cost._add_up(fragments))
    assert (total.depth, total.fields) == (depth, fields)
