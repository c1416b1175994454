"""graphql-core's executor with a short way for plain fields: an attribute of the source, shown as a scalar.

Most of an answer is such fields, and the general way makes a path, an info object, a call through strawberry and a
dozen type tests for each. Whatever is not plain, and whatever goes wrong, takes the general way.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from graphql import GraphQLField, GraphQLNonNull, GraphQLObjectType, is_leaf_type
from graphql.execution.executor_throwing_on_incremental import ExecutorThrowingOnIncremental

Getter = Callable[[Any], Any]


class LeanExecutor(ExecutorThrowingOnIncremental):
    def execute_fields(
        self,
        parent_type: GraphQLObjectType,
        source_value: Any,
        path: Any,
        grouped_field_set: Mapping[str, Any],
        position_context: Any,
    ) -> Any:
        getters = _getters(parent_type)
        found: dict[str, Any] = {}
        rest: dict[str, Any] = {}
        for name, details in grouped_field_set.items():
            found[name] = None
            getter = getters.get(details[0].node.name.value)
            if getter is not None:
                try:
                    found[name] = getter(source_value)
                    continue
                except Exception:
                    # The general way meets the same error, and reports it with its path.
                    pass
            rest[name] = details
        if not rest:
            return found
        others = super().execute_fields(parent_type, source_value, path, rest, position_context)
        if isinstance(others, dict):
            found.update(others)
            return found
        return _fill(found, others)


class ClosedExecutor(LeanExecutor):
    """Where the schema is not shown, no type has a name."""

    def execute_fields(
        self,
        parent_type: GraphQLObjectType,
        source_value: Any,
        path: Any,
        grouped_field_set: Mapping[str, Any],
        position_context: Any,
    ) -> Any:
        hidden = {name for name, details in grouped_field_set.items() if details[0].node.name.value == "__type"}
        if not hidden:
            return super().execute_fields(parent_type, source_value, path, grouped_field_set, position_context)
        shown = {name: details for name, details in grouped_field_set.items() if name not in hidden}
        answer = super().execute_fields(parent_type, source_value, path, shown, position_context)
        found: dict[str, Any] = dict.fromkeys(grouped_field_set)
        if isinstance(answer, dict):
            return found | answer
        return _fill(found, answer)


async def _fill(found: dict[str, Any], others: Awaitable[dict[str, Any]]) -> dict[str, Any]:
    found.update(await others)
    return found


def _getters(type_: GraphQLObjectType) -> dict[str, Getter]:
    getters = type_.extensions.get("plain")
    if getters is None:
        made = ((name, _getter(field)) for name, field in type_.fields.items())
        getters = type_.extensions["plain"] = {name: getter for name, getter in made if getter is not None}
    return getters


def _getter(field: GraphQLField) -> Getter | None:
    """Of a field that strawberry resolves by `getattr` and that shows a scalar or an enum."""
    required = isinstance(field.type, GraphQLNonNull)
    shown_as = field.type.of_type if isinstance(field.type, GraphQLNonNull) else field.type
    definition = field.extensions.get("strawberry-definition")
    if definition is None or not definition.is_basic_field or not is_leaf_type(shown_as):
        return None
    attribute: str = definition.python_name
    show = shown_as.coerce_output_value

    def get(source: Any) -> Any:
        value = getattr(source, attribute)
        if value is not None:
            value = show(value)
        if value is None and required:
            raise TypeError(attribute)
        return value

    return get
