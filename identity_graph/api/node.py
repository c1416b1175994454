"""The Relay interface: whatever can be asked for again by its id.

The id of a person is its person id and the id of an event is what its sender gave it. Segments and quarantined records
say what they are in theirs, and are looked for first, so that no sender can hide one behind an event's id.
"""

from __future__ import annotations

import strawberry

SEGMENT = "segment:"
QUARANTINE = "quarantine:"


@strawberry.interface(description="What can be asked for again by its id.")
class Node:
    id: strawberry.ID


def segment_id(name: str) -> strawberry.ID:
    return strawberry.ID(SEGMENT + name)


def quarantine_id(number: int) -> strawberry.ID:
    return strawberry.ID(f"{QUARANTINE}{number}")


def quarantine_number(id: str) -> int | None:
    """
    >>> quarantine_number("quarantine:17"), quarantine_number("quarantine:x")
    (17, None)
    """
    digits = id.removeprefix(QUARANTINE)
    if digits == id or not (digits.isascii() and digits.isdigit() and len(digits) < 19):
        return None
    return int(digits)
