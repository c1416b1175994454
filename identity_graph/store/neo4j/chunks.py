"""How much crosses to the server and back at a time: lists, because rows are ten times slower."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeVar

T = TypeVar("T")

CHUNK = 20_000
"""Rows of one statement that writes."""

COLUMN = 100_000
"""Numbers of rows that one answer holds: more needs more of the server's memory, fewer more answers."""

LINKS = 500_000
"""Links that one answer holds: each answer passes over those of the earlier ones."""


def in_chunks(rows: Sequence[T], size: int = CHUNK) -> Iterator[Sequence[T]]:
    for start in range(0, len(rows), size):
        yield rows[start : start + size]
