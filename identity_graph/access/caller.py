"""Who asks."""

from __future__ import annotations

from dataclasses import dataclass

from identity_graph.access.rules import Role


@dataclass(frozen=True, slots=True)
class Caller:
    """`name` is for logs and statements: the id of a key, or the subject of a token."""

    role: Role
    name: str

    @property
    def is_key(self) -> bool:
        """Then its name tells nothing of a person."""
        return self.name.startswith("key ")
