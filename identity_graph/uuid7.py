"""Ids of what this project names: persons, runs, audits."""

from __future__ import annotations

import secrets
import time
import uuid


def uuid7() -> str:
    """A UUID of version 7 (RFC 9562): ids made later sort later, and none is derived from a value."""
    stamp = time.time_ns() // 1_000_000
    high = (stamp << 16) | 0x7000 | secrets.randbits(12)
    return str(uuid.UUID(int=(high << 64) | (0b10 << 62) | secrets.randbits(62)))
