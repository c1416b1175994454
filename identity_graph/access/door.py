"""Where who asks is known, or is turned away."""

from __future__ import annotations

from collections.abc import Mapping, Set
from typing import TYPE_CHECKING

from identity_graph.access.caller import Caller
from identity_graph.access.keys import PREFIX, KeysFile
from identity_graph.access.limits import Allowance, Limits
from identity_graph.access.rules import AccessRules, Role
from identity_graph.errors import AccessError

if TYPE_CHECKING:
    from identity_graph.access.tokens import Tokens


class Door:
    """Takes API keys where there is a file of them, and tokens where somebody issues them. A `quiet` one says the same
    of all that it does not take, and so not what it would."""

    def __init__(self, keys: KeysFile | None, tokens: Tokens | None = None, *, quiet: bool = False) -> None:
        self.keys = keys
        self._quiet = quiet
        self._tokens = tokens
        self._limits = Limits()
        self.rules = AccessRules.shipped()

    def waits(self, authorization: str | None) -> bool:
        """Whether `caller` may take its time: the keys of an issuer may have to be fetched."""
        return self._tokens is not None and PREFIX not in (authorization or PREFIX)

    def caller(self, authorization: str | None) -> Caller:
        """Of a request with this header. Raises UNAUTHENTICATED."""
        try:
            return self._caller(authorization)
        except AccessError as error:
            if self._quiet and error.code == "UNAUTHENTICATED":
                raise AccessError("UNAUTHENTICATED", "the request shows nothing that is taken here") from None
            raise

    def _caller(self, authorization: str | None) -> Caller:
        scheme, _, credentials = (authorization or "").partition(" ")
        if scheme.lower() != "bearer":
            raise _unknown()
        text = credentials.strip()
        if self.keys and (text.startswith(PREFIX) or not self._tokens):
            return self.keys.caller(text)
        if self._tokens:
            return self._tokens.caller(text)
        raise AccessError("UNAUTHENTICATED", "API keys are not taken here")

    def spend(self, caller: Caller) -> Allowance | None:
        """One request of a caller who may make so many; None: as many as it likes. Raises RATE_LIMITED."""
        return None if caller.rate is None else self._limits.spend(caller.name, caller.rate)

    def check(self, entries: Mapping[str, Set[Role | None]], name: str, caller: Caller) -> None:
        """Raises FORBIDDEN."""
        if not self.rules.allows(entries, name, caller.role):
            raise forbidden(name, caller.role)
        _check_scopes({name}, caller)

    def check_fields(self, fields: Set[str], caller: Caller | None) -> None:
        """Raises FORBIDDEN of the first of them that the role may not ask for, or that the key is not for, and
        UNAUTHENTICATED."""
        if caller is None:
            raise _unknown()
        allowed = self.rules.fields_of(caller.role)
        if not fields <= allowed:
            raise forbidden(min(fields - allowed), caller.role)
        if caller.scopes is not None:
            _check_scopes(self.rules.roots(fields), caller)


def forbidden(name: str, role: Role) -> AccessError:
    return AccessError("FORBIDDEN", f"{name} is not for the role {role}")


def _check_scopes(names: Set[str], caller: Caller) -> None:
    if caller.scopes is not None and not names <= caller.scopes:
        wanted = min(names - caller.scopes)
        raise AccessError(
            "FORBIDDEN", f"{wanted} is not among the scopes of the key", help="Ask for a key that has it."
        )


def _unknown() -> AccessError:
    return AccessError("UNAUTHENTICATED", "the request has no Authorization: Bearer")
