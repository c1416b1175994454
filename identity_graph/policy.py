"""The rules of a resolution: how much each namespace is trusted, how many of its values one person may have."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Self

from identity_graph.errors import PolicyError
from identity_graph.times import parse_duration


@dataclass(frozen=True, slots=True)
class Rule:
    """How one namespace takes part. Of a limit of None there is no end; of a half-life of None, no decay."""

    trust: float = 0.6
    limit: int | None = 5
    hub_cap: int = 50
    priority: int = 50
    half_life: int | None = None
    joins: bool = True

    @property
    def unique(self) -> bool:
        return self.limit == 1


@dataclass(frozen=True, slots=True)
class Blocked:
    """Values that mean nobody: compared without case in every namespace, or in one."""

    values: frozenset[str] = frozenset()
    patterns: tuple[str, ...] = ()
    by_namespace: Mapping[str, tuple[frozenset[str], tuple[str, ...]]] = field(default_factory=dict)


@dataclass(frozen=True)
class Policy:
    """The whole of the rules. `Policy.default()` is safe for real data; `Policy.read(path)` takes a file.

    >>> policy = Policy.default()
    >>> policy.rule("user_id").limit, policy.rule("email").limit, policy.rule("cookie").limit
    (1, 5, None)
    >>> policy.blocks("user_id", "Anonymous"), policy.blocks("user_id", "u-17")
    (True, False)
    """

    order: str = "strongest"
    min_weight: float = 0.2
    max_identifiers: int = 500
    session_gap: int = parse_duration("30m")
    pairwise_up_to: int = 8
    default_rule: Rule = field(default_factory=Rule)
    namespaces: Mapping[str, Rule] = field(default_factory=dict)
    sources: Mapping[str, float] = field(default_factory=dict)
    blocked: Blocked = field(default_factory=Blocked)

    def rule(self, namespace: str) -> Rule:
        return self.namespaces.get(namespace, self.default_rule)

    def source_trust(self, source: str) -> float:
        return self.sources.get(source, 1.0)

    def blocks(self, namespace: str, value: str) -> bool:
        """Whether the value means nobody in this namespace."""
        return self.blocking(namespace)(value)

    def blocking(self, namespace: str) -> Callable[[str], bool]:
        """The test of `blocks` for one namespace, compiled once: for the many."""
        found = self._compiled.get(namespace)
        if found is None:
            found = self._compiled[namespace] = self._compile(namespace)
        return found

    def _compile(self, namespace: str) -> Callable[[str], bool]:
        own_values, own_patterns = self.blocked.by_namespace.get(namespace, (frozenset(), ()))
        values = self.blocked.values | own_values
        patterns = (*self.blocked.patterns, *own_patterns)
        search = re.compile("|".join(f"(?:{pattern})" for pattern in patterns)).search if patterns else None

        def blocked(value: str) -> bool:
            folded = value.casefold()
            return folded in values or (search is not None and search(folded) is not None)

        return blocked

    @cached_property
    def _compiled(self) -> dict[str, Callable[[str], bool]]:
        return {}

    @property
    def decays(self) -> bool:
        """Whether evidence loses weight with age: then a new event anywhere changes weights everywhere."""
        return any(rule.half_life is not None for rule in (self.default_rule, *self.namespaces.values()))

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the rules, hexadecimal: the version that is stored with what they published."""
        return hashlib.sha256(self.to_toml().encode()).hexdigest()

    def without_limits(self) -> Self:
        """The same rules with no limit, hub or blocked value: a person is then a connected component."""
        free = {
            name: replace(rule, limit=None, hub_cap=2**31 - 1, joins=True) for name, rule in self.namespaces.items()
        }
        return replace(
            self,
            default_rule=replace(self.default_rule, limit=None, hub_cap=2**31 - 1),
            namespaces=free,
            min_weight=0.0,
            max_identifiers=2**31 - 1,
            blocked=Blocked(),
        )

    @classmethod
    def default(cls) -> Policy:
        from identity_graph.policy_file import default_text, parse_policy

        return parse_policy(default_text(), where="the default policy", start=cls())

    @classmethod
    def parse(cls, text: str, *, where: str = "the policy") -> Policy:
        """Rules as TOML; what is left out is the default's. Raises POLICY_SYNTAX, POLICY_KEY, POLICY_VALUE."""
        from identity_graph.policy_file import parse_policy

        return parse_policy(text, where=where, start=cls.default())

    @classmethod
    def read(cls, path: str | Path) -> Policy:
        """As `parse`, from a file. Raises POLICY_MISSING too."""
        try:
            text = Path(path).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise PolicyError("POLICY_MISSING", f"{path}: {error}") from error
        return cls.parse(text, where=str(path))

    def to_toml(self) -> str:
        """The rules in canonical form: equal rules give equal text."""
        from identity_graph.policy_file import write_policy

        return write_policy(self)
