"""The rules of a resolution: how much each namespace is trusted, how many of its values one person may have."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from identity_graph.errors import InputError, PolicyError
from identity_graph.times import SECOND, parse_duration

if TYPE_CHECKING:
    import polars as pl

ORDERS = ("strongest", "newest", "cut")
MEASURES = ("jaccard", "overlap", "cosine")

FEW = 256  # values of a column that are judged one by one


@dataclass(frozen=True, slots=True)
class Rule:
    """How one namespace takes part. `window`, `half_life` and `expires` are in microseconds; None means that there is
    no limit, that its window is all time, that evidence does not decay, does not expire.

    A person has at most `limit` values whose newest links are less than `window` apart.
    """

    trust: float = 0.6
    limit: int | None = 5
    hub_cap: int = 50
    priority: int = 50
    half_life: int | None = None
    joins: bool = True
    window: int | None = None
    expires: int | None = None

    @property
    def unique(self) -> bool:
        return self.limit == 1 and self.window is None


@dataclass(frozen=True, slots=True)
class Blocked:
    """Values that mean nobody: compared without case in every namespace, or in one."""

    values: frozenset[str] = frozenset()
    patterns: tuple[str, ...] = ()
    by_namespace: Mapping[str, tuple[frozenset[str], tuple[str, ...]]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Similarity:
    """Links that nobody observed: between identifiers of the namespaces `between` that share neighbours of the
    namespaces `by`. `min` is the least similarity that makes a link, 0..1; `top_k` the most links of one identifier."""

    between: tuple[str, ...]
    by: tuple[str, ...]
    measure: str = "jaccard"
    min: float = 0.8
    top_k: int = 10
    trust: float = 0.5


@dataclass(frozen=True, slots=True)
class Purpose:
    """For what people may be used. `opt_out`: who said nothing may be; `needs` are purposes to which nobody may have
    said no either. `stitch`: evidence of people who said no joins nobody for it, nor does any of `without_sources`."""

    opt_out: bool = False
    needs: tuple[str, ...] = ()
    stitch: bool = False
    without_sources: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Keep:
    """For how many microseconds after their time events of this source and name are kept; None: any, and for ever."""

    life: int | None
    source: str | None = None
    name: str | None = None


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
    similarity: tuple[Similarity, ...] = ()
    purposes: Mapping[str, Purpose] = field(default_factory=dict)
    retention: tuple[Keep, ...] = ()

    def purpose(self, name: str) -> Purpose:
        """Raises PURPOSE_UNKNOWN: of a name that is misspelt nobody has said anything."""
        found = self.purposes.get(name)
        if found is None:
            known = ", ".join(sorted(self.purposes)) or "none"
            help = f"The policy has {known}; it names one by a line [purposes.NAME]."
            raise InputError("PURPOSE_UNKNOWN", f"the policy has no purpose {name[:100]!r}", help=help)
        return found

    def life(self, source: str, name: str) -> int | None:
        """How long such events are kept: as the first rule that fits them says; None: for ever."""
        for one in self.retention:
            if one.source in (None, source) and one.name in (None, name):
                return one.life
        return None

    def rule(self, namespace: str) -> Rule:
        return self.namespaces.get(namespace, self.default_rule)

    def source_trust(self, source: str) -> float:
        return self.sources.get(source, 1.0)

    def blocks(self, namespace: str, value: str) -> bool:
        """Whether the value means nobody in this namespace."""
        return self.blocked_few(namespace, [value])[0]

    def blocked_few(self, namespace: str, values: Sequence[str]) -> list[bool]:
        """As `blocked_among`, without its fixed cost, which is that of a thousand values. An expression of polars is
        run by threads of its own, for which a busy server waits milliseconds."""
        known, lowered, pattern = self._blocked_in(namespace)
        texts = [value.lower() if value.isascii() else lowered.validate_python(value) for value in values]
        return [text in known or (pattern is not None and pattern.isinstance_python(text)) for text in texts]

    def blocked_among(self, namespace: str, values: pl.Series) -> pl.Series:
        """`blocks` for a column of texts of one namespace, as a column of booleans.

        Values are compared, and patterns tried, in any case. The time is linear in the text, whatever the patterns:
        Rust's regex crate does not backtrack.
        """
        import polars as pl

        if len(values) <= FEW:
            return pl.Series(self.blocked_few(namespace, values.to_list()), dtype=pl.Boolean)
        own_values, own_patterns = self.blocked.by_namespace.get(namespace, (frozenset(), ()))
        value = pl.col("value")
        found = value.is_in(list(self.blocked.values | own_values))
        patterns = (*self.blocked.patterns, *own_patterns)
        if patterns:
            found |= value.str.contains(any_of(patterns))
        return pl.DataFrame({"value": values.str.to_lowercase()}).select(found).to_series()

    def _blocked_in(self, namespace: str) -> tuple[frozenset[str], Any, Any]:
        """Values, what makes a text small, and what finds a pattern in it: that of pydantic is the crate of polars."""
        own = namespace if namespace in self.blocked.by_namespace else ""
        if own not in self._judges:
            from pydantic_core import SchemaValidator
            from pydantic_core.core_schema import str_schema

            own_values, own_patterns = self.blocked.by_namespace.get(own, (frozenset(), ()))
            patterns = (*self.blocked.patterns, *own_patterns)
            find = str_schema(pattern=any_of(patterns), regex_engine="rust-regex") if patterns else None
            lower = SchemaValidator(str_schema(to_lower=True))
            self._judges[own] = (self.blocked.values | own_values, lower, SchemaValidator(find) if find else None)
        return self._judges[own]

    @cached_property
    def _judges(self) -> dict[str, tuple[frozenset[str], Any, Any]]:
        return {}

    @property
    def decays(self) -> bool:
        """Whether evidence loses weight with age, or expires: then a new event anywhere changes weights everywhere."""
        rules = (self.default_rule, *self.namespaces.values())
        return any(rule.half_life is not None or rule.expires is not None for rule in rules)

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the rules from which persons follow, hexadecimal: the version that is stored with what they
        published. For what people may be used, and how long evidence is kept, changes at once."""
        return hashlib.sha256(replace(self, purposes={}, retention=()).to_toml().encode()).hexdigest()

    def without_limits(self) -> Self:
        """The same trust, and nothing that keeps apart, expires or is guessed: a person is a connected component."""

        def free(rule: Rule) -> Rule:
            return replace(rule, limit=None, window=None, hub_cap=2**31 - 1, joins=True, expires=None)

        return replace(
            self,
            default_rule=free(self.default_rule),
            namespaces={name: free(rule) for name, rule in self.namespaces.items()},
            min_weight=0.0,
            max_identifiers=2**31 - 1,
            blocked=Blocked(),
            similarity=(),
        )

    @classmethod
    def default(cls) -> Policy:
        from identity_graph.policy_file import default_text, parse_policy

        return parse_policy(default_text(), where="the default policy", start=cls(), tried=True)

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
        except OSError as error:
            raise PolicyError("POLICY_MISSING", f"{path}: {error}") from error
        except UnicodeDecodeError as error:
            help = "Save the file as UTF-8, then try: identity-graph policy check FILE."
            raise PolicyError("POLICY_SYNTAX", f"{path}: not UTF-8 text: {error}", help=help) from error
        return cls.parse(text, where=str(path))

    def check(self) -> None:
        """Raises POLICY_VALUE for rules that no file could say: of whoever makes them in Python."""
        self._checked  # noqa: B018 - once is enough

    @cached_property
    def _checked(self) -> bool:
        from identity_graph.policy_file import parse_policy

        def seconds(rule: Rule) -> Rule:
            """Files say no less; what is shorter is longer than nothing."""
            spans = {name: getattr(rule, name) for name in ("window", "half_life", "expires")}
            return replace(rule, **{name: span and -(-span // SECOND) * SECOND for name, span in spans.items()})

        try:
            # A file names the rules of what it compares.
            compared = [name for one in self.similarity for name in (*one.between, *one.by)]
            rules = {name: seconds(self.rule(name)) for name in (*self.namespaces, *compared)}
            whole = replace(self, default_rule=seconds(self.default_rule), namespaces=rules)
            parse_policy(whole.to_toml(), where="the policy as a file", start=Policy())
        except PolicyError as error:
            raise PolicyError("POLICY_VALUE", error.message, help=error.help) from None
        except (TypeError, ValueError, AttributeError) as error:
            raise PolicyError(
                "POLICY_VALUE", f"the policy: {error}", help="Give each rule what its type says."
            ) from None
        return True

    def to_toml(self) -> str:
        """The rules in canonical form: equal rules give equal text."""
        from identity_graph.policy_file import write_policy

        return write_policy(self)


def any_of(patterns: tuple[str, ...]) -> str:
    """One expression that finds what any of them finds."""
    return "|".join(f"(?i:{pattern})" for pattern in patterns)
