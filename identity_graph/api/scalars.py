"""Scalars: how times, durations and JSON cross the border."""

from __future__ import annotations

from math import isfinite
from typing import Any, NewType

import strawberry
from graphql import GraphQLError, StringValueNode, ValueNode, value_from_ast_untyped

from identity_graph.errors import InputError
from identity_graph.times import NUMBERS_SINCE, format_time, parse_duration, parse_time

DateTime = NewType("DateTime", int)
Duration = NewType("Duration", str)
JSON = NewType("JSON", object)
Representation = NewType("Representation", object)

MAX_NESTING = 64


def _time(value: Any) -> int:
    if not isinstance(value, str):
        raise InputError("TS_INVALID", "a DateTime is a text", help="Write ISO 8601, say 2026-01-31T09:30:00Z.")
    return parse_time(value, numbers_since=NUMBERS_SINCE)


def _duration(value: Any) -> str:
    if not isinstance(value, str) or not value.startswith("P"):
        raise GraphQLError("A Duration is a text such as PT30M or P90D.")
    try:
        parse_duration(value)
    except ValueError:
        raise GraphQLError("A Duration is a text such as PT30M or P90D.") from None
    return value


def _json(value: Any) -> Any:
    """Checked without recursion: literals nest as deep as the document may be long."""
    level = [value]
    for _ in range(MAX_NESTING + 1):
        if not all(map(_fits, level)):
            raise InputError("NUMBER_RANGE", "a number is not finite, or an integer of more than 64 bits")
        level = [
            child
            for item in level
            if isinstance(item, dict | list)
            for child in (item.values() if isinstance(item, dict) else item)
        ]
        if not level:
            return value
    raise InputError("RECORD_TOO_DEEP", f"a JSON value nests deeper than {MAX_NESTING} levels")


def _fits(value: Any) -> bool:
    if isinstance(value, float):
        return isfinite(value)
    return not isinstance(value, int) or -(2**63) <= value < 2**64


def _json_literal(node: ValueNode, variables: dict[str, Any] | None = None) -> Any:
    return _json(value_from_ast_untyped(node, variables))


def _text_literal(read: Any) -> Any:
    def parse(node: ValueNode, _variables: dict[str, Any] | None = None) -> Any:
        return read(node.value if isinstance(node, StringValueNode) else None)

    return parse


SCALARS: dict[object, Any] = {
    DateTime: strawberry.scalar(
        name="DateTime",
        description="ISO 8601, UTC, say 2026-01-31T09:30:00Z. In input another zone may be given; none means UTC.",
        specified_by_url="https://scalars.graphql.org/andimarek/date-time",
        serialize=format_time,
        parse_value=_time,
        parse_literal=_text_literal(_time),
    ),
    Duration: strawberry.scalar(
        name="Duration",
        description="ISO 8601 in weeks, days, hours, minutes and seconds, say P90D or PT30M.",
        serialize=str,
        parse_value=_duration,
        parse_literal=_text_literal(_duration),
    ),
    JSON: strawberry.scalar(
        name="JSON",
        description="Any JSON value; a trait keeps the type that it was stated with.",
        serialize=lambda value: value,
        parse_value=_json,
        parse_literal=_json_literal,
    ),
    Representation: strawberry.scalar(
        name="_Any",
        description="Apollo Federation's: an entity as another service knows it, by its type and a key.",
        serialize=lambda value: value,
        parse_value=_json,
        parse_literal=_json_literal,
    ),
}
