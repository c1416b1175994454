"""Random documents over the schema: queries about persons that are valid, with aliases, arguments, variables,
fragments and directives."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLUnionType,
    get_named_type,
)
from hypothesis import strategies as st

from tests.api.conftest import ANN, BOB, CAROL, email_of

DEPTH = 5
UNASKED = {"_service", "_entities"}
OFTEN = ("person", "people", "journey", "profile")  # else most documents would ask of something that has no plan
PEOPLE = [email_of(ANN), email_of(BOB), email_of(CAROL), email_of("nobody@example.org"), {"id": "nobody"}]
VALUES: dict[str, list[Any]] = {
    "PersonBy": PEOPLE,
    "[PersonBy]": [PEOPLE, PEOPLE[:1], []],
    "IdentifierInput": [by["identifier"] for by in PEOPLE[:4]],
    "Int": [1, 2, 100, 0],
    "String": ["plan", "email", "vip", "nothing"],
    "[String]": [["email", "user_id"], ["plan"], [], ["web"]],
    "Boolean": [True, False],
    "ID": ["a1", "nobody"],
    "EventFilter": [{}, {"names": ["Order Completed"]}, {"from": "2025-12-03T00:00:00Z", "sources": ["web", "crm"]}],
    "View": [{"minConfidence": 0.5}],
    "ConditionInput": [{"trait": {"name": "plan", "is": {"equals": "pro"}}}],
}
"""By the name of a type, in brackets where it is a list; cursors are left out, as few texts are one."""


@dataclass
class Written:
    """A document while it is drawn."""

    draw: Any
    schema: GraphQLSchema
    fragments: list[str] = field(default_factory=list)
    declared: list[str] = field(default_factory=list)
    variables: dict[str, Any] = field(default_factory=dict)
    names: int = 0

    def some(self, values: Any) -> Any:
        return self.draw(st.sampled_from(list(values)))

    def now_and_then(self, of: int = 4) -> bool:
        return bool(self.draw(st.integers(0, of)) == 0)

    def name(self, letter: str) -> str:
        self.names += 1
        return f"{letter}{self.names}"

    def variable(self, type_: str, value: Any) -> str:
        name = self.name("v")
        self.declared.append(f"${name}: {type_}")
        self.variables[name] = value
        return f"${name}"

    def document(self, root: GraphQLObjectType) -> str:
        selections = self.selections(root, 0)
        declared = f"({', '.join(self.declared)})" if self.declared else ""
        return " ".join([f"query Q{declared} {selections}", *self.fragments])

    def selections(self, type_: Any, depth: int) -> str:
        if isinstance(type_, GraphQLUnionType):
            return "{ __typename }"
        fields = {
            name: one
            for name, one in type_.fields.items()
            if name not in UNASKED and (depth < DEPTH or not _holds_more(one)) and _possible(one)
        }
        often = [name for name in OFTEN if name in fields] * 8
        chosen = self.draw(st.lists(st.sampled_from([*fields, "__typename", *often]), min_size=1, max_size=4))
        parts = [self.field(name, fields.get(name), depth) for name in chosen]
        if self.now_and_then():
            parts = [*parts[1:], self.fragment(type_, parts[0])]
        return "{ " + " ".join(parts) + " }"

    def field(self, name: str, one: GraphQLField | None, depth: int) -> str:
        if one is None:
            return name + self.directive()
        arguments = [
            f"{key}: {self.argument(argument)}"
            for key, argument in one.args.items()
            if _kind(argument) in VALUES or _enum(argument)
            if isinstance(argument.type, GraphQLNonNull) or (key != "view" and self.now_and_then(2))
        ]
        given = f"({', '.join(arguments)})" if arguments else ""
        # Two of one name in one place must have the same arguments.
        alias = f"{self.name('f')}: " if given or self.now_and_then() else ""
        below = f" {self.selections(get_named_type(one.type), depth + 1)}" if _holds_more(one) else ""
        return alias + name + given + self.directive() + below

    def argument(self, argument: GraphQLArgument) -> str:
        enum = _enum(argument)
        value = self.some(enum.values) if enum else self.some(VALUES[_kind(argument)])
        if self.now_and_then(1):
            return self.variable(str(argument.type), value)
        return str(value) if enum else _literal(value)

    def fragment(self, type_: Any, part: str) -> str:
        if self.now_and_then(1):
            return f"... on {type_.name}{self.directive()} {{ {part} }}"
        name = self.name("F")
        self.fragments.append(f"fragment {name} on {type_.name} {{ {part} }}")
        return f"...{name}{self.directive()}"

    def directive(self) -> str:
        if not self.now_and_then(8):
            return ""
        value = self.draw(st.booleans())
        shown = self.variable("Boolean!", value) if self.now_and_then(1) else str(value).lower()
        return f" @{self.some(('skip', 'include'))}(if: {shown})"


@st.composite
def documents(draw: Any, schema: GraphQLSchema) -> tuple[str, dict[str, Any]]:
    """A document and its variables."""
    written = Written(draw, schema)
    root = schema.query_type
    assert root is not None
    return written.document(root), written.variables


def _literal(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_literal(held)}" for key, held in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_literal, value)) + "]"
    if isinstance(value, bool):
        return str(value).lower()
    return f'"{value}"' if isinstance(value, str) else str(value)


def _kind(argument: GraphQLArgument) -> str:
    name = get_named_type(argument.type).name
    return f"[{name}]" if "[" in str(argument.type) else name


def _enum(argument: GraphQLArgument) -> GraphQLEnumType | None:
    type_ = get_named_type(argument.type)
    return type_ if isinstance(type_, GraphQLEnumType) and "[" not in str(argument.type) else None


def _holds_more(one: GraphQLField) -> bool:
    return isinstance(get_named_type(one.type), GraphQLObjectType | GraphQLInterfaceType | GraphQLUnionType)


def _possible(one: GraphQLField) -> bool:
    needed = (argument for argument in one.args.values() if isinstance(argument.type, GraphQLNonNull))
    return all(_kind(argument) in VALUES or _enum(argument) for argument in needed)
