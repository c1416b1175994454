"""The GraphQL types of paging; `paging` computes what they show."""

from __future__ import annotations

from typing import Generic, TypeVar

import strawberry

T = TypeVar("T")


@strawberry.type
class PageInfo:
    has_next_page: bool
    has_previous_page: bool
    start_cursor: str | None
    end_cursor: str | None


@strawberry.type
class Edge(Generic[T]):
    cursor: str
    node: T


@strawberry.type
class Connection(Generic[T]):
    edges: list[Edge[T]]
    nodes: list[T] = strawberry.field(description="The same as the edges' nodes, for whoever needs no cursors.")
    page_info: PageInfo


@strawberry.type(name="Connection")
class CountedConnection(Generic[T]):
    edges: list[Edge[T]]
    nodes: list[T] = strawberry.field(description="The same as the edges' nodes, for whoever needs no cursors.")
    page_info: PageInfo
    total_count: int = strawberry.field(description="Of the whole list, whatever the page.")
