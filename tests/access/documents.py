"""For every field a GraphQL document that asks for it, by a way that a role may go if there is one."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Set
from functools import cache

from graphql import (
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLUnionType,
    get_named_type,
    is_composite_type,
    is_required_argument,
    is_required_input_field,
)

from identity_graph.api.schema import graphql_schema

Way = tuple[str, ...]
SCALARS = {"Int": "1", "Float": "1.0", "Boolean": "true", "DateTime": '"2026-01-01T00:00:00Z"', "Duration": '"P1D"'}


def document(field: str, allowed: Set[str]) -> tuple[str, bool]:
    """The text, and whether all but the field itself is among those that are allowed."""
    type_, _, name = field.partition(".")
    if type_ in ("Query", "Mutation", "Subscription"):
        return _written(type_, (), name), True
    way = _way(type_, frozenset(allowed))
    if way is None:
        whole = _way(type_, None)
        assert whole is not None, f"no way leads to {type_}"
        return _written(type_, whole, name), False
    return _written(type_, way, name), True


@cache
def _way(wanted: str, allowed: frozenset[str] | None) -> Way | None:
    """The shortest: steps are Type.field, and `on Type`."""
    seen = {"Query", "Mutation"}
    waiting: deque[tuple[str, Way]] = deque([("Query", ()), ("Mutation", ())])
    while waiting:
        at, way = waiting.popleft()
        if at == wanted:
            return way
        for step, to in _steps(at):
            if to not in seen and (allowed is None or step in allowed or step.startswith("on ")):
                seen.add(to)
                waiting.append((to, (*way, step)))
    return None


def _steps(at: str) -> Iterator[tuple[str, str]]:
    type_ = graphql_schema().type_map[at]
    if isinstance(type_, GraphQLInterfaceType | GraphQLUnionType):
        for possible in graphql_schema().get_possible_types(type_):
            yield f"on {possible.name}", possible.name
    if isinstance(type_, GraphQLObjectType | GraphQLInterfaceType):
        for name, field in type_.fields.items():
            if is_composite_type(found := get_named_type(field.type)):
                yield f"{at}.{name}", found.name


def _written(type_: str, way: Way, name: str) -> str:
    inner = _asked(type_, name)
    for step in reversed(way):
        if step.startswith("on "):
            inner = f"... {step} {{ {inner} }}"
        else:
            parent, _, field = step.partition(".")
            inner = f"{_called(parent, field)} {{ {inner} }}"
    root = way[0].partition(".")[0] if way else type_
    operation = root.lower()
    return f"{operation} {{ {inner} }}"


def _asked(type_: str, name: str) -> str:
    if name == "__schema":
        return "__schema { description }"
    if name == "__type":
        return '__type(name: "Person") { name }'
    below = get_named_type(_field(type_, name).type)
    return _called(type_, name) + (" { __typename }" if is_composite_type(below) else "")


def _called(type_: str, name: str) -> str:
    given = [
        f"{argument}: {_literal(of.type)}"
        for argument, of in _field(type_, name).args.items()
        if is_required_argument(of)
    ]
    return f"{name}({', '.join(given)})" if given else name


def _field(type_: str, name: str) -> GraphQLField:
    found = graphql_schema().type_map[type_]
    assert isinstance(found, GraphQLObjectType | GraphQLInterfaceType)
    field: GraphQLField = found.fields[name]
    return field


def _literal(type_: GraphQLInputType) -> str:
    if isinstance(type_, GraphQLNonNull):
        return _literal(type_.of_type)
    if isinstance(type_, GraphQLList):
        return f"[{_literal(type_.of_type)}]"
    if isinstance(type_, GraphQLEnumType):
        return str(next(iter(type_.values)))
    if isinstance(type_, GraphQLInputObjectType):
        fields = type_.fields.items()
        needed = [pair for pair in fields if is_required_input_field(pair[1])]
        if type_.is_one_of:
            # One that does not lead to the type itself again.
            needed = [min(fields, key=lambda pair: isinstance(get_named_type(pair[1].type), GraphQLInputObjectType))]
        return "{" + ", ".join(f"{name}: {_literal(of.type)}" for name, of in needed) + "}"
    return SCALARS.get(get_named_type(type_).name, '"x"')
