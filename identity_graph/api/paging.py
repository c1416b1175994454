"""Relay paging: windows onto lists, and cursors that only the list that gave them takes back."""

from __future__ import annotations

import binascii
import hashlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Generic, NamedTuple, TypeVar

import orjson
from strawberry import UNSET

from identity_graph.api.cost import PAGE_DEFAULT, PAGE_LARGEST
from identity_graph.errors import InputError
from identity_graph.store.numbered import FARTHEST

T = TypeVar("T")
Key = tuple[int | str, ...]


class Edge(NamedTuple, Generic[T]):
    """Its cursor is made when it is asked for."""

    mark: str
    key: Key
    node: T

    @property
    def cursor(self) -> str:
        return _cursor(self.mark, self.key)


@dataclass(frozen=True, slots=True)
class PageInfo:
    has_next_page: bool
    has_previous_page: bool
    start: Edge[Any] | None
    end: Edge[Any] | None

    @property
    def start_cursor(self) -> str | None:
        return self.start and self.start.cursor

    @property
    def end_cursor(self) -> str | None:
        return self.end and self.end.cursor


@dataclass(frozen=True, slots=True)
class Connection(Generic[T]):
    edges: Sequence[Edge[T]]
    page_info: PageInfo
    total_count: int | None = None

    @property
    def nodes(self) -> list[T]:
        return [edge.node for edge in self.edges]

    def map(self, show: Callable[[T], Any]) -> Connection[Any]:
        """The same page of what `show` makes of each row."""
        return replace(self, edges=[Edge(edge.mark, edge.key, show(edge.node)) for edge in self.edges])


@dataclass(frozen=True, slots=True)
class Window:
    """`limit` rows of the list named `of` after `key` or, going backward, before it; None: from the end."""

    of: str
    limit: int
    backward: bool = False
    key: Key | None = None

    @classmethod
    def read(
        cls,
        of: str,
        shape: tuple[type, ...],
        *,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
    ) -> Window:
        """`shape` is the types of the list's keys. Raises PAGE_INVALID.

        >>> Window.read("persons", (str,), first=2)
        Window(of='persons', limit=2, backward=False, key=None)
        """
        backward = last is not None or before is not None
        if backward and (first is not None or after is not None):
            raise _invalid("first and after go together, or last and before")
        size = last if backward else first
        if size is not None and not 1 <= size <= PAGE_LARGEST:
            raise _invalid(f"{'last' if backward else 'first'} is {size}")
        cursor = before if backward else after
        key = None if cursor is None else _decode(of, shape, cursor)
        return cls(of, PAGE_DEFAULT if size is None else size, backward, key)

    def cut(self, rows: Sequence[T], key_of: Callable[[T], Key], total_count: int | None = None) -> Connection[T]:
        """The window onto a whole list that is in order of its keys, no key twice."""
        if self.backward:
            stop = len(rows) if self.key is None else bisect_left(rows, self.key, key=key_of)
            start = max(0, stop - self.limit)
        else:
            start = 0 if self.key is None else bisect_right(rows, self.key, key=key_of)
            stop = min(len(rows), start + self.limit)
        return self._connect(rows[start:stop], key_of, start > 0, stop < len(rows), total_count)

    def fetched(self, rows: Sequence[T], key_of: Callable[[T], Key], total_count: int | None = None) -> Connection[T]:
        """The window of rows that a store was asked for with `limit + 1`, in the order of the list.

        What is on the other side of the cursor is taken to be there, as Relay allows.
        """
        more = len(rows) > self.limit
        if self.backward:
            kept = rows[-self.limit :]
            return self._connect(kept, key_of, more, self.key is not None, total_count)
        return self._connect(rows[: self.limit], key_of, self.key is not None, more, total_count)

    def _connect(
        self, rows: Sequence[T], key_of: Callable[[T], Key], before: bool, after: bool, total_count: int | None
    ) -> Connection[T]:
        mark = _mark(self.of)
        edges = [Edge(mark, key_of(row), row) for row in rows]
        ends = (edges[0], edges[-1]) if edges else (None, None)
        return Connection(edges, PageInfo(after, before, *ends), total_count)


def _mark(of: str) -> str:
    return hashlib.blake2s(of.encode(), digest_size=6).hexdigest()


def cursor_of(of: str, key: Key) -> str:
    return _cursor(_mark(of), key)


def _cursor(mark: str, key: Key) -> str:
    return urlsafe_b64encode(orjson.dumps([mark, *key])).rstrip(b"=").decode()


def _decode(of: str, shape: tuple[type, ...], cursor: str) -> Key:
    try:
        mark, *key = orjson.loads(urlsafe_b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4)))
    except (ValueError, TypeError, binascii.Error):
        raise _invalid("the cursor is not one that this service gave") from None
    if mark != _mark(of):
        raise _invalid("the cursor is of another list")
    if tuple(map(type, key)) != shape or any(isinstance(part, int) and abs(part) > FARTHEST for part in key):
        raise _invalid("the cursor is not one that this service gave")
    return tuple(key)


def _invalid(message: str) -> InputError:
    return InputError(
        "PAGE_INVALID",
        message,
        help=f"Give first or last, 1 to {PAGE_LARGEST}, and a cursor of the same list with the same filter.",
    )


def given(value: Any) -> Any:
    """None of an argument that the client left out."""
    return None if value is UNSET else value
