"""Persons as an analyst sees them: keyed hashes in the place of what names somebody.

Equal values have equal hashes, so that they can be counted and compared; of what, nobody finds out by guessing.
What people state of somebody is free text, so all of it is hashed but truth and nothing.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from graphql import GraphQLObjectType

from identity_graph.api.executor import ClosedExecutor, LeanExecutor
from identity_graph.store.protocols import PrivacyStore

Show = Callable[[PrivacyStore, Any, Any], Any]
"""From the store, the source of the field and its answer."""


def pseudonym(store: PrivacyStore, namespace: str, value: str) -> str:
    return store.keyed_hash(f"pseudonym\0{namespace}\0{value}").hex()[:32]


def _key(store: PrivacyStore, _source: Any, answer: str) -> str:
    namespace, _, value = answer.partition(":")
    return f"{namespace}:{pseudonym(store, namespace, value)}"


def _values(store: PrivacyStore, source: Any, answer: list[str]) -> list[str]:
    return [pseudonym(store, source.namespace or "", value) for value in answer]


def _stated(store: PrivacyStore, _source: Any, answer: Any) -> Any:
    """Names of members stay. A record nests no deeper than 64 levels."""
    if isinstance(answer, Mapping):
        return {name: _stated(store, None, value) for name, value in answer.items()}
    if isinstance(answer, list):
        return [_stated(store, None, value) for value in answer]
    if answer is None or isinstance(answer, bool):
        return answer
    return pseudonym(store, "", str(answer))


VEILED: Mapping[str, Mapping[str, Show]] = {
    "Person": {"key": _key},
    "Identifier": {"key": _key, "value": lambda store, source, answer: pseudonym(store, source.namespace, answer)},
    "Reason": {"values": _values},
    "Profile": {"values": _stated},
    "Trait": {"value": _stated},
    "Statement": {"value": _stated},
    "ComputedValue": {"value": _stated},
    "Event": {"traits": _stated, "properties": _stated},
}


class VeilingExecutor(LeanExecutor):
    """The context's graph has the store."""

    def execute_fields(
        self,
        parent_type: GraphQLObjectType,
        source_value: Any,
        path: Any,
        grouped_field_set: Mapping[str, Any],
        position_context: Any,
    ) -> Any:
        answer = super().execute_fields(parent_type, source_value, path, grouped_field_set, position_context)
        shows = VEILED.get(parent_type.name, {})
        veiled = {
            name: shows[field]
            for name, details in grouped_field_set.items()
            if (field := details[0].node.name.value) in shows
        }
        if not veiled:
            return answer
        if isinstance(answer, dict):
            return self._veil(answer, veiled, source_value)
        return self._veil_later(answer, veiled, source_value)

    async def _veil_later(self, answer: Awaitable[dict[str, Any]], veiled: Mapping[str, Show], source: Any) -> Any:
        return self._veil(await answer, veiled, source)

    def _veil(self, answer: dict[str, Any], veiled: Mapping[str, Show], source: Any) -> dict[str, Any]:
        store = self.context_value.graph.store.privacy
        for name, show in veiled.items():
            if answer.get(name) is not None:
                answer[name] = show(store, source, answer[name])
        return answer


class ClosedVeilingExecutor(VeilingExecutor, ClosedExecutor):
    """And where the schema is not shown."""
