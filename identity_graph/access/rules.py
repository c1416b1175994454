"""What each role may do, read from `roles.toml`."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any

from identity_graph.errors import AccessError

FILE = Path(__file__).with_name("roles.toml")
ANYBODY = "anybody"
_ROOTS = ("Query.", "Mutation.", "Subscription.")


class Role(StrEnum):
    APP_READER = "app_reader"
    ANALYST = "analyst"
    INGEST = "ingest"
    PRIVACY_OFFICER = "privacy_officer"
    ADMIN = "admin"
    AUDITOR = "auditor"

    @classmethod
    def named(cls, name: str) -> Role:
        """Raises ROLE_UNKNOWN."""
        try:
            return cls(name)
        except ValueError:
            known = ", ".join(cls)
            raise AccessError("ROLE_UNKNOWN", f"there is no role {name[:40]!r}", help=f"Roles are {known}.") from None


PRIVILEGED: Set[Role | None] = frozenset({Role.PRIVACY_OFFICER, Role.ADMIN})


@dataclass(frozen=True)
class AccessRules:
    """`fields` are written Type.field, `routes` METHOD /path, `verbs` as they are typed; who may, by name. None stands
    for anybody, with or without a key."""

    fields: Mapping[str, Set[Role | None]]
    routes: Mapping[str, Set[Role | None]]
    verbs: Mapping[str, Set[Role | None]]

    @classmethod
    @cache
    def shipped(cls) -> AccessRules:
        return cls.parse(FILE.read_text(encoding="utf-8"))

    @classmethod
    def parse(cls, text: str) -> AccessRules:
        """
        >>> rules = AccessRules.parse('[verbs]\\nadmin = ["copy"]\\nanybody = ["demo"]')
        >>> rules.allows(rules.verbs, "copy", Role.ADMIN), rules.allows(rules.verbs, "copy", Role.ANALYST)
        (True, False)
        >>> rules.allows(rules.verbs, "demo", None), rules.allows(rules.verbs, "new", Role.ADMIN)
        (True, False)
        """
        tables = tomllib.loads(text)
        audiences: dict[str, Sequence[Role | None]] = {role: (role,) for role in Role}
        audiences[ANYBODY] = (*Role, None)
        for name, roles in tables.get("audiences", {}).items():
            audiences[name] = [Role(role) for role in roles]
        fields = (
            pair
            for type_, table in tables.get("fields", {}).items()
            for pair in _entries(table, audiences, f"{type_}.")
        )
        return cls(
            _gathered(fields),
            _gathered(_entries(tables.get("routes", {}), audiences)),
            _gathered(_entries(tables.get("verbs", {}), audiences)),
        )

    @staticmethod
    def allows(entries: Mapping[str, Set[Role | None]], name: str, role: Role | None) -> bool:
        return role in entries.get(name, ())

    def privileged(self, entries: Mapping[str, Set[Role | None]], name: str) -> bool:
        """Whether it is for the privileged alone, and is recorded when it is done.

        >>> rules = AccessRules.shipped()
        >>> rules.privileged(rules.verbs, "forget person"), rules.privileged(rules.verbs, "stats")
        (True, False)
        """
        return entries.get(name, set()) <= PRIVILEGED

    def privileged_of(self, fields: Set[str]) -> str:
        """Those of a document's fields that are, with blanks between. What is below one is of the same action, and the
        schema is no secret."""
        acting = (name for name in fields if name.startswith(_ROOTS) and "._" not in name)
        return " ".join(sorted(name for name in acting if self.privileged(self.fields, name)))

    @staticmethod
    def roots(fields: Set[str]) -> Set[str]:
        """Those of a document's fields that it begins with."""
        return {name for name in fields if name.startswith(_ROOTS) and name.partition(".")[2] != "__typename"}

    @classmethod
    def opened(cls, scopes: Sequence[str]) -> Set[str] | None:
        """With the routes by which the fields among them are asked for; None where there are none, and all is open."""
        ways = ("GET /graphql", "POST /graphql") if any(scope.startswith(_ROOTS) for scope in scopes) else ()
        return frozenset((*scopes, *ways)) or None

    def check_scopes(self, role: Role, scopes: Set[str]) -> None:
        """Whether each is something that the role may begin with: a field such as Query.person, a route, or a verb.
        Raises SCOPE_UNKNOWN."""
        may = set(self.roots(self.fields_of(role)))
        for entries in (self.routes, self.verbs):
            may |= {name for name in entries if self.allows(entries, name, role)}
        if not scopes <= may:
            wrong = min(scopes - may)
            raise AccessError("SCOPE_UNKNOWN", f"{wrong[:80]!r} is nothing that the role {role} may begin with")

    @cache  # noqa: B019  one set of rules lives as long as the program
    def fields_of(self, role: Role) -> Set[str]:
        return frozenset(name for name, roles in self.fields.items() if role in roles)

    def __hash__(self) -> int:
        return id(self)


def _entries(
    table: Mapping[str, Any], audiences: Mapping[str, Sequence[Role | None]], before: str = ""
) -> Iterator[tuple[str, Role | None]]:
    for audience, names in table.items():
        for name in names:
            for role in audiences[audience]:
                yield before + name, role


def _gathered(pairs: Iterator[tuple[str, Role | None]]) -> Mapping[str, Set[Role | None]]:
    found: dict[str, set[Role | None]] = {}
    for name, role in pairs:
        found.setdefault(name, set()).add(role)
    return found
