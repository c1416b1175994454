"""GraphQL documents, parsed, weighed and validated once: clients send the same few again and again."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field
from typing import Any

import anyio.to_thread
from graphql import (
    DirectiveNode,
    DocumentNode,
    FieldNode,
    GraphQLError,
    GraphQLSchema,
    GraphQLSyntaxError,
    OperationDefinitionNode,
    OperationType,
    TypeInfo,
    TypeInfoVisitor,
    VariableNode,
    Visitor,
    is_object_type,
    parse,
    validate,
    visit,
)

from identity_graph.api.cost import MAX_LENGTH, MAX_TOKENS, check_cost
from identity_graph.errors import QueryError

KEPT = 256
MAX_ERRORS = 3


class Invalid(Exception):
    """A document that does not parse or does not fit the schema, with all that is wrong with it."""

    def __init__(self, errors: Sequence[GraphQLError]) -> None:
        super().__init__(f"{len(errors)} errors")
        self.errors = errors


@dataclass(frozen=True, slots=True)
class Prepared:
    """`fields` are the names of all fields in the document, `places` the same with the types before them; `deciding`
    names the variables by which directives leave something out. `plans` is what `plan` compiled of it."""

    document: DocumentNode
    operations: Mapping[str | None, OperationDefinitionNode]
    fields: Set[str]
    places: Set[str]
    deciding: Sequence[str]
    plans: dict[Any, Any] = field(default_factory=dict)

    def operation(self, name: str | None) -> OperationDefinitionNode:
        """The operation to run. Raises OPERATION_REQUIRED."""
        if name is None and len(self.operations) == 1:
            return next(iter(self.operations.values()))
        found = self.operations.get(name) if name is not None else None
        if found is None:
            names = ", ".join(sorted(name for name in self.operations if name))
            raise QueryError(
                "OPERATION_REQUIRED",
                f"the document has no operation {name!r}" if name else "the document has several operations",
                help=f"Set operationName to one of: {names}." if names else "Leave operationName out.",
            )
        return found

    def mutates(self, name: str | None) -> bool:
        return self.operation(name).operation is OperationType.MUTATION

    def subscribes(self, name: str | None) -> bool:
        return self.operation(name).operation is OperationType.SUBSCRIPTION


class Documents:
    """The documents used last, by their text. Only what is valid is kept."""

    def __init__(self, schema: GraphQLSchema, *, introspection: bool = True) -> None:
        self._schema = schema
        self._introspection = introspection
        self._paged = paged_fields(schema)
        self._kept: OrderedDict[str, Prepared] = OrderedDict()

    async def prepare(self, text: str) -> Prepared:
        """Raises QUERY_TOO_COMPLEX, QUERY_INVALID, INTROSPECTION_OFF and `Invalid`. A new text goes to a thread."""
        found = self._kept.get(text)
        if found is not None:
            self._kept.move_to_end(text)
            return found
        found = await anyio.to_thread.run_sync(self.prepare_here, text)
        self._kept[text] = found
        if len(self._kept) > KEPT:
            self._kept.popitem(last=False)
        return found

    def prepare_here(self, text: str) -> Prepared:
        """The same, in this thread, and not kept."""
        return prepare(self._schema, self._paged, text, self._introspection)


def paged_fields(schema: GraphQLSchema) -> Set[str]:
    return frozenset(
        name
        for type_ in schema.type_map.values()
        if is_object_type(type_)
        for name, field in type_.fields.items()
        if "first" in field.args
    )


def prepare(schema: GraphQLSchema, paged: Set[str], text: str, introspection: bool = True) -> Prepared:
    if len(text) > MAX_LENGTH:
        raise QueryError(
            "QUERY_TOO_COMPLEX",
            f"the document has {len(text):,} characters; {MAX_LENGTH:,} are allowed",
            help="Move values into variables.",
        )
    try:
        document = parse(text, max_tokens=MAX_TOKENS)
    except GraphQLSyntaxError as error:
        if "Parsing aborted" in error.description:
            raise QueryError("QUERY_TOO_COMPLEX", error.description) from None
        raise Invalid([error]) from None
    names = check_cost(document, paged)
    if not introspection and names & {"__schema", "_service"}:
        raise QueryError("INTROSPECTION_OFF", "the document asks for the schema")
    errors = validate(schema, document, max_errors=MAX_ERRORS, hide_suggestions=True)
    if errors:
        raise Invalid(errors)
    operations = {
        definition.name.value if definition.name else None: definition
        for definition in document.definitions
        if isinstance(definition, OperationDefinitionNode)
    }
    if not operations:
        raise QueryError("QUERY_INVALID", "the document has no operation", help="Write at least one query.")
    return Prepared(document, operations, names, *_gathered(schema, document))


def _gathered(schema: GraphQLSchema, document: DocumentNode) -> tuple[Set[str], Sequence[str]]:
    """Each field as Type.field, in all operations and fragments of a valid document, and the variables of directives.
    `__typename` is nobody's secret, and what is below `__schema` and `__type` goes with them."""
    found: set[str] = set()
    deciding: set[str] = set()
    types = TypeInfo(schema)

    class Gather(Visitor):
        def enter_field(self, node: FieldNode, *_: object) -> None:
            name, parent = node.name.value, types.get_parent_type()
            if name != "__typename" and parent is not None and not parent.name.startswith("__"):
                found.add(f"{parent.name}.{name}")

        def enter_directive(self, node: DirectiveNode, *_: object) -> None:
            values = (argument.value for argument in node.arguments or ())
            deciding.update(value.name.value for value in values if isinstance(value, VariableNode))

    visit(document, TypeInfoVisitor(types, Gather()))
    return frozenset(found), sorted(deciding)
