"""Where who asks is known, or is turned away."""

from __future__ import annotations

from collections.abc import Mapping, Set

from identity_graph.access.caller import Caller
from identity_graph.access.keys import KeysFile
from identity_graph.access.rules import AccessRules, Role
from identity_graph.errors import AccessError


class Door:
    def __init__(self, keys: KeysFile, rules: AccessRules | None = None) -> None:
        self.keys = keys
        self.rules = rules or AccessRules.shipped()

    def caller(self, authorization: str | None) -> Caller:
        """Of a request with this header. Raises UNAUTHENTICATED."""
        scheme, _, credentials = (authorization or "").partition(" ")
        if scheme.lower() != "bearer":
            raise _unknown()
        return self.keys.caller(credentials.strip())

    def check(self, entries: Mapping[str, Set[Role | None]], name: str, caller: Caller) -> None:
        """Raises FORBIDDEN."""
        if not self.rules.allows(entries, name, caller.role):
            raise forbidden(name, caller.role)

    def check_fields(self, fields: Set[str], caller: Caller | None) -> None:
        """Raises FORBIDDEN of the first of them that the role may not ask for, and UNAUTHENTICATED."""
        if caller is None:
            raise _unknown()
        allowed = self.rules.fields_of(caller.role)
        if not fields <= allowed:
            raise forbidden(min(fields - allowed), caller.role)


def forbidden(name: str, role: Role) -> AccessError:
    return AccessError("FORBIDDEN", f"{name} is not for the role {role}")


def _unknown() -> AccessError:
    return AccessError("UNAUTHENTICATED", "the request has no Authorization: Bearer")
