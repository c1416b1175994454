"""Who asks."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass

from identity_graph.access.limits import Rate
from identity_graph.access.rules import Role


@dataclass(frozen=True, slots=True)
class Caller:
    """`name` is for logs and statements: the id of a key, or the subject of a token. `rate`: of a key that has one, how
    often it may ask. `scopes`: of a key that has some, what of all that its role may it is for; see `AccessRules`."""

    role: Role
    name: str
    rate: Rate | None = None
    scopes: Set[str] | None = None

    @property
    def is_key(self) -> bool:
        """Then its name tells nothing of a person."""
        return self.name.startswith("key ")
