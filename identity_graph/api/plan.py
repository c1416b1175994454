"""Queries compiled to plans: the short way from a document that is asked again and again to its answer.

A plan goes through the answer level by level and field by field, with the same field of all objects of a level at once:
one list of sources in, one list of values out. Resolvers and scalars are the schema's own, called without what is
around them in graphql-core: a path and an info for each field, arguments read anew for each object, a test of each
value for all that it might be. What a plan does not know it leaves to graphql-core, which is also who tells of errors:
a plan that meets anything but a value that fits gives up, and the request is run again in the general way. So an answer
of a plan has no errors.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence, Set
from functools import partial
from itertools import chain, islice
from math import isfinite
from operator import attrgetter
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson
from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    GraphQLField,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLSchema,
    Node,
    OperationDefinitionNode,
    OperationType,
    VariableNode,
    get_argument_values,
    get_variable_values,
    is_leaf_type,
)
from graphql.execution.collect_fields import FieldDetails, FragmentDetails, collect_fields, collect_subfields
from strawberry.types.arguments import convert_arguments

from identity_graph import deadline
from identity_graph.api.documents import Prepared
from identity_graph.api.schema import strawberry_schema
from identity_graph.api.supply import Supply
from identity_graph.api.veil import VEILED, Show

if TYPE_CHECKING:
    from identity_graph.service import IdentityGraph
    from identity_graph.view import View

Column = Sequence[Any]
KEPT = 16  # plans of one document
_VALUES = {"Person"}  # types whose sources are equal where the same is answered


class Unknown(Exception):
    """It is left to graphql-core."""


class Asked:
    """What resolvers may know of a request: the parts of `Info` and of the context that they use. One that is answered
    once more, of other `reads`, keeps what was made of its variables."""

    viewed: Mapping[str | int, Any] = {}

    def __init__(self, graph: IdentityGraph, variables: Mapping[str, Any], *, veiled: bool) -> None:
        self.reads: Supply
        self.given = variables
        self.variables: Any = None  # the same, coerced
        self.arguments: dict[Hashable, dict[str, Any]] = {}
        self.veiled = veiled
        self.keyed_by = graph.store.privacy
        self._graph = graph

    @property
    def context(self) -> Asked:
        return self

    @property
    def graph(self) -> IdentityGraph:
        self.reads.passing = True  # what is read of it is not by keys
        return self._graph

    def under(self, view: View) -> Any:
        raise Unknown


Turn = Callable[[Asked, Column], Column]


class _Step(NamedTuple):
    """A field of all objects of one level: how it is read of the sources, shown, and hidden from an analyst."""

    name: str
    read: Turn
    show: Turn
    veil: Show | None


class Level:
    """The objects of one type in one place. `variables` are the names of those that their answers depend on."""

    def __init__(self, steps: Sequence[_Step], variables: Set[str]) -> None:
        self._steps = steps
        self._names = tuple(step.name for step in steps)
        self._variables = sorted(variables)

    def remembered(self, asked: Asked, sources: Column) -> Column:
        """As `answer`, of what is told apart by value and asked for again and again."""
        given = asked.given
        values = orjson.dumps([given.get(name) for name in self._variables], option=orjson.OPT_SORT_KEYS)
        return asked.reads.shown((self, values), sources, partial(self.answer, asked))

    def answer(self, asked: Asked, sources: Column) -> list[dict[str, Any]]:
        deadline.check()
        asked.reads.count(len(sources))
        if not self._steps:
            return [{} for _ in sources]
        read = [step.read(asked, sources) for step in self._steps]
        columns = []
        for step, column in zip(self._steps, read, strict=True):
            shown = step.show(asked, asked.reads.settle(column))
            if step.veil is not None:
                pairs = zip(sources, shown, strict=True)
                shown = [one if one is None else step.veil(asked.keyed_by, source, one) for source, one in pairs]
            columns.append(shown)
        names = self._names
        return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]


class Plans:
    """Of the queries of one schema. A plan stays with its document."""

    def __init__(self, schema: GraphQLSchema) -> None:
        self._schema = schema

    def answer(self, prepared: Prepared, name: str | None, asked: Asked) -> Any:
        """The data. Raises `Unknown`, and whatever a resolver raises."""
        operation = prepared.operation(name)
        found = asked.variables
        if found is None:
            found = get_variable_values(
                self._schema, operation.variable_definitions or (), dict(asked.given), max_errors=1
            )
            if isinstance(found, list):
                raise Unknown
            asked.variables = found
        key = (name, asked.veiled, *(found.coerced.get(one) for one in prepared.deciding))
        if key not in prepared.plans:
            if len(prepared.plans) == KEPT:
                prepared.plans.clear()
            try:
                prepared.plans[key] = _Compiling(self._schema, prepared, operation, asked).whole()
            except Unknown:
                prepared.plans[key] = None
        plan: Level | None = prepared.plans[key]
        if plan is None:
            raise Unknown
        return plan.answer(asked, [None])[0]


class _Compiling:
    """One operation, for one role and one choice of what its directives leave out."""

    def __init__(
        self, schema: GraphQLSchema, prepared: Prepared, operation: OperationDefinitionNode, asked: Asked
    ) -> None:
        self._schema = schema
        self._operation = operation
        self._asked = asked
        self._used: set[str] = set()  # the variables in arguments of the level that is being compiled, and below it
        self._fragments = {
            one.name.value: FragmentDetails(one)
            for one in prepared.document.definitions
            if isinstance(one, FragmentDefinitionNode)
        }

    def whole(self) -> Level:
        root = self._schema.query_type
        if root is None or self._operation.operation is not OperationType.QUERY:
            raise Unknown
        found = collect_fields(self._schema, self._fragments, self._asked.variables, root, self._operation)
        return self._level(root, found.grouped_field_set)

    def _level(self, type_: GraphQLObjectType, fields: Mapping[str, Sequence[FieldDetails]]) -> Level:
        around, self._used = self._used, set()
        level = Level([self._step(type_, name, details) for name, details in fields.items()], self._used)
        self._used |= around
        return level

    def _step(self, type_: GraphQLObjectType, name: str, details: Sequence[FieldDetails]) -> _Step:
        field_name = details[0].node.name.value
        if field_name == "__typename":
            return _Step(name, lambda _, sources: [type_.name] * len(sources), _unchanged, None)
        field = type_.fields.get(field_name)
        if field is None:
            raise Unknown  # introspection
        veil = VEILED.get(type_.name, {}).get(field_name) if self._asked.veiled else None
        return _Step(name, self._read(field, details[0].node), self._show(field.type, details), veil)

    # ---- from sources to values

    def _read(self, field: GraphQLField, node: FieldNode) -> Turn:
        definition = field.extensions.get("strawberry-definition")
        if definition is None or definition.extensions:
            raise Unknown
        if definition.is_basic_field:
            get = attrgetter(definition.python_name)
            return lambda _, sources: [*map(get, sources)]
        resolver = definition.base_resolver
        call = resolver.wrapped_func
        source = resolver.self_parameter or resolver.parent_parameter
        if source is None or source.name != next(iter(inspect.signature(call).parameters)):
            raise Unknown
        if not inspect.isfunction(call) or inspect.iscoroutinefunction(call) or inspect.isasyncgenfunction(call):
            raise Unknown
        info = resolver.info_parameter and resolver.info_parameter.name
        arguments = self._arguments(field, definition, node)

        def read(asked: Asked, sources: Column) -> Column:
            given = arguments(asked)
            if info:
                given = given | {info: asked}
            return [call(one, **given) for one in sources]

        return read

    def _arguments(self, field: GraphQLField, definition: Any, node: FieldNode) -> Callable[[Asked], dict[str, Any]]:
        """As the resolver takes them. Those that no variable is part of are the same for every request."""
        converter = strawberry_schema().schema_converter

        def arguments(asked: Asked) -> dict[str, Any]:
            return convert_arguments(
                get_argument_values(field, node, asked.variables),
                definition.arguments,
                scalar_registry=converter.scalar_registry,
                config=converter.config,
            )

        def once(asked: Asked) -> dict[str, Any]:
            found = asked.arguments.get(once)
            if found is None:
                found = asked.arguments[once] = arguments(asked)
            return found

        variables = {name for argument in node.arguments or () for name in _variables(argument)}
        if variables:
            self._used |= variables
            return once
        try:
            fixed = arguments(self._asked)
        except Exception:
            raise Unknown from None
        return lambda _: fixed

    # ---- from values to what is shown of them

    def _show(self, type_: GraphQLOutputType, details: Sequence[FieldDetails]) -> Turn:
        if isinstance(type_, GraphQLNonNull):
            return _required(self._show(type_.of_type, details))
        if isinstance(type_, GraphQLList):
            return _each(self._show(type_.of_type, details))
        if is_leaf_type(type_):
            return _leaf(type_)
        if not isinstance(type_, GraphQLObjectType):
            raise Unknown
        found = collect_subfields(
            self._schema, self._fragments, self._asked.variables, self._operation, type_, [*details]
        )
        level = self._level(type_, found.grouped_field_set)
        return _objects(level.remembered if type_.name in _VALUES else level.answer, type_.is_type_of)


def _unchanged(_: Asked, column: Column) -> Column:
    return column


def _required(show: Turn) -> Turn:
    def required(asked: Asked, column: Column) -> Column:
        shown = show(asked, column)
        if None in shown:
            raise Unknown
        return shown

    return required


def _each(show: Turn) -> Turn:
    def each(asked: Asked, column: Column) -> Column:
        if not set(map(type, column)) <= {list, tuple, NoneType}:
            raise Unknown
        flat = [*chain.from_iterable(held for held in column if held)]
        shown = iter(show(asked, asked.reads.settle(flat)) if flat else ())
        return [None if held is None else [*islice(shown, len(held))] for held in column]

    return each


def _objects(answer: Turn, is_type_of: Callable[[Any, Any], Any] | None) -> Turn:
    def objects(asked: Asked, column: Column) -> Column:
        there = [one for one in column if one is not None]
        if is_type_of is not None and not all(is_type_of(one, asked) for one in there):
            raise Unknown
        answers = answer(asked, there)
        if len(there) == len(column):
            return answers
        rest = iter(answers)
        return [None if one is None else next(rest) for one in column]

    return objects


def _leaf(type_: Any) -> Turn:
    """Most columns are of one type that is shown as it is; that is seen at once for all of it."""
    plain = _PLAIN.get(type_.name, frozenset())
    show = type_.coerce_output_value

    def leaf(_: Asked, column: Column) -> Column:
        types = set(map(type, column))
        if types <= plain and (float not in plain or all(isfinite(one or 0) for one in column)):
            return column
        if types <= _NUMBERED:
            texts = {one: None if one is None else show(one) for one in {*column}}
            shown = [texts[one] for one in column]
        else:
            shown = [None if one is None else show(one) for one in column]
        if shown.count(None) > sum(one is None for one in column):
            raise Unknown
        return shown

    return leaf


NoneType = type(None)
_NUMBERED = {int, NoneType}  # as times are, of which many are the same
_PLAIN: Mapping[str, Set[type]] = {
    "String": {str, NoneType},
    "ID": {str, NoneType},
    "Boolean": {bool, NoneType},
    "Float": {float, NoneType},
}


def _variables(node: Node) -> Iterator[str]:
    if isinstance(node, VariableNode):
        yield node.name.value
        return
    for key in node.keys:
        held = getattr(node, key, None)
        for one in held if isinstance(held, list | tuple) else (held,):
            if isinstance(one, Node):
                yield from _variables(one)
