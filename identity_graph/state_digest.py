"""What a store says, in one number that is easy to compare."""

from __future__ import annotations

import hashlib

from identity_graph.store.protocols import Store


def digest_of(store: Store) -> str:
    """SHA-256 of the canonical state, hexadecimal: evidence, suppressed links, memberships without ids."""
    digest = hashlib.sha256()
    for line in store.operations.canonical_lines():
        digest.update(line + b"\n")
    return digest.hexdigest()
