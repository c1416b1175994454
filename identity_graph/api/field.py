"""Fields whose resolver answers with the model's own values, which the named GraphQL type then shows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import strawberry

Resolver = Callable[..., Any]


def field(shown_as: Any, description: str | None = None, *, name: str | None = None) -> Callable[[Resolver], Any]:
    def make(resolver: Resolver) -> Any:
        return strawberry.field(resolver, name=name, graphql_type=shown_as, description=description)

    return make


def subscription(shown_as: Any, description: str | None = None) -> Callable[[Resolver], Any]:
    def make(resolver: Resolver) -> Any:
        return strawberry.subscription(resolver, graphql_type=shown_as, description=description)

    return make


def mutation(shown_as: Any, description: str | None = None) -> Callable[[Resolver], Any]:
    def make(resolver: Resolver) -> Any:
        return strawberry.mutation(resolver, graphql_type=shown_as, description=description)

    return make
