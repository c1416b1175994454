"""The policy as a TOML file: read with errors that name the line, written in one canonical form."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from identity_graph.errors import CODES, PolicyError
from identity_graph.policy import Blocked, Policy, Rule
from identity_graph.times import format_duration, parse_duration

NAMESPACE = re.compile(r"[a-z0-9][a-z0-9_.-]{0,63}", re.ASCII)
_HEADER = re.compile(r"\s*\[+([^\]]+)\]")
_SETTING = re.compile(r"""\s*((?:[\w.-]|\s*"[^"]*"|\s*'[^']*')+)\s*=""")
_SCALARS = ("order", "min_weight", "max_identifiers", "session_gap", "pairwise_up_to")


def default_text() -> str:
    """The default policy as TOML with the reason of each line."""
    return Path(__file__).with_name("policy.toml").read_text(encoding="utf-8")


def parse_policy(text: str, *, where: str, start: Policy) -> Policy:
    """The rules of a TOML text laid over `start`. Raises POLICY_SYNTAX, POLICY_KEY, POLICY_VALUE."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise PolicyError("POLICY_SYNTAX", f"{where}: {error}") from error
    return _Reader(text, where).policy(document, start)


def write_policy(policy: Policy) -> str:
    """The rules in canonical form."""
    lines = ["version = 1", f'order = "{policy.order}"', f"min_weight = {policy.min_weight!r}"]
    lines += [f"max_identifiers = {policy.max_identifiers}"]
    lines += [f'session_gap = "{format_duration(policy.session_gap)}"']
    lines += [f"pairwise_up_to = {policy.pairwise_up_to}", "", "[default]", *_rule_lines(policy.default_rule)]
    for name in sorted(policy.namespaces):
        lines += ["", f"[namespaces.{_toml_key(name)}]", *_rule_lines(policy.namespaces[name])]
    for name in sorted(policy.sources):
        lines += ["", f"[sources.{_toml_key(name)}]", f"trust = {policy.sources[name]!r}"]
    lines += ["", "[blocked]", f"values = {_toml_list(sorted(policy.blocked.values))}"]
    lines += [f"patterns = {_toml_list(policy.blocked.patterns)}"]
    for name, (values, patterns) in sorted(policy.blocked.by_namespace.items()):
        inner = f"values = {_toml_list(sorted(values))}, patterns = {_toml_list(patterns)}"
        lines.append(f"{_toml_key(name)} = {{ {inner} }}")
    return "\n".join(lines) + "\n"


def _rule_lines(rule: Rule) -> list[str]:
    limit = "none" if rule.limit is None else f"{rule.limit} ever"
    half_life = "none" if rule.half_life is None else format_duration(rule.half_life)
    return [
        f"trust = {rule.trust!r}",
        f'limit = "{limit}"',
        f"hub_cap = {rule.hub_cap}",
        f"priority = {rule.priority}",
        f'half_life = "{half_life}"',
        f"joins = {str(rule.joins).lower()}",
    ]


def _toml_text(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(c if c.isprintable() else f"\\U{ord(c):08x}" for c in escaped) + '"'


def _plain(name: str) -> str:
    return re.sub(r"[\s\"']", "", name)


def _toml_key(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name, re.ASCII) else _toml_text(name)


def _toml_list(texts: Any) -> str:
    return "[" + ", ".join(_toml_text(text) for text in texts) + "]"


class _Reader:
    """Checks a document key by key, so that an error can name the line."""

    def __init__(self, text: str, where: str) -> None:
        self.lines = text.splitlines()
        self.where = where

    def fail(self, code: str, key: str, message: str, help: str) -> PolicyError:
        line = self.line_of(key)
        place = f"{self.where}, line {line}" if line else self.where
        return PolicyError(code, f"{place}: {key}: {message}", help=help)

    def line_of(self, key: str) -> int | None:
        """The line that sets the dotted key, or else the nearest table or inline table around it."""
        best, found, table = 0, None, ""
        for number, text in enumerate(self.lines, 1):
            header = _HEADER.match(text)
            setting = _SETTING.match(text)
            if header:
                table = path = _plain(header[1])
            elif setting:
                path = f"{table}.{_plain(setting[1])}".lstrip(".")
            else:
                continue
            if len(path) > best and (key == path or key.startswith(path + ".")):
                best, found = len(path), number
        return found

    def only(self, table: Mapping[str, Any], allowed: tuple[str, ...], prefix: str) -> None:
        for key in table:
            if key not in allowed:
                raise self.fail("POLICY_KEY", prefix + key, "no such key", f"Known: {', '.join(allowed)}.")

    def number(self, value: Any, key: str, low: float, high: float, *, whole: bool) -> Any:
        good = isinstance(value, int) if whole else isinstance(value, int | float)
        if not good or isinstance(value, bool) or not low <= value <= high:
            kind = "a whole number" if whole else "a number"
            raise self.fail("POLICY_VALUE", key, f"{value!r}", f"Allowed: {kind} from {low} to {high}.")
        return value if whole else float(value)

    def duration(self, value: Any, key: str) -> int:
        try:
            found = parse_duration(value) if isinstance(value, str) else 0
        except ValueError:
            found = 0
        if found <= 0:
            raise self.fail("POLICY_VALUE", key, f"{value!r}", 'Allowed: a duration such as "30m" or "90 days".')
        return found

    def table(self, value: Any, key: str) -> Mapping[str, Any]:
        if not isinstance(value, dict):
            raise self.fail("POLICY_VALUE", key, f"{value!r}", f"{key} is a table: [{key}].")
        return value

    def limit(self, value: Any, key: str) -> int | None:
        if value == "none":
            return None
        match = re.fullmatch(r"(\d{1,6}) ever", value, re.ASCII) if isinstance(value, str) else None
        if not match or int(match[1]) < 1:
            raise self.fail("POLICY_VALUE", key, f"{value!r}", 'Allowed: "1 ever", "5 ever", ... or "none".')
        return int(match[1])

    def rule(self, table: Mapping[str, Any], key: str, start: Rule) -> Rule:
        self.only(table, tuple(f.name for f in fields(Rule)), key + ".")
        changes: dict[str, Any] = {}
        if "trust" in table:
            changes["trust"] = self.number(table["trust"], f"{key}.trust", 0, 1, whole=False)
        if "limit" in table:
            changes["limit"] = self.limit(table["limit"], f"{key}.limit")
        if "hub_cap" in table:
            changes["hub_cap"] = self.number(table["hub_cap"], f"{key}.hub_cap", 1, 2**31 - 1, whole=True)
        if "priority" in table:
            changes["priority"] = self.number(table["priority"], f"{key}.priority", 1, 1000, whole=True)
        if "half_life" in table:
            life = table["half_life"]
            changes["half_life"] = None if life == "none" else self.duration(life, f"{key}.half_life")
        if "joins" in table:
            if not isinstance(table["joins"], bool):
                raise self.fail("POLICY_VALUE", f"{key}.joins", f"{table['joins']!r}", "Allowed: true, false.")
            changes["joins"] = table["joins"]
        return replace(start, **changes)

    def texts(self, value: Any, key: str) -> list[str]:
        if not isinstance(value, list) or not all(isinstance(text, str) for text in value):
            raise self.fail("POLICY_VALUE", key, f"{value!r}", "Allowed: a list of texts.")
        return value

    def patterns(self, value: Any, key: str) -> tuple[str, ...]:
        """Expressions in the linear part of the language: no back-references, look-arounds or nested repeats."""
        found = self.texts(value, key)
        for pattern in found:
            try:
                re.compile(pattern)
                bad = re.search(r"\\[1-9]|\(\?|[*+}]\)?[*+{]|\)[*+{]", pattern)
            except re.error:
                bad = re.match("", "")
            if bad:
                raise self.fail(
                    "POLICY_VALUE",
                    key,
                    f"{pattern!r}",
                    "Allowed: expressions without back-references, look-arounds and repeated groups.",
                )
        return tuple(found)

    def block(self, table: Mapping[str, Any], start: Blocked) -> Blocked:
        values, patterns = set(start.values), list(start.patterns)
        by_namespace = dict(start.by_namespace)
        for key, value in table.items():
            if key == "values":
                values.update(text.casefold() for text in self.texts(value, "blocked.values"))
            elif key == "patterns":
                patterns += [p for p in self.patterns(value, "blocked.patterns") if p not in patterns]
            else:
                inner = self.table(value, f"blocked.{key}")
                self.only(inner, ("values", "patterns"), f"blocked.{key}.")
                old_values, old_patterns = by_namespace.get(key, (frozenset(), ()))
                more = {t.casefold() for t in self.texts(inner.get("values", []), f"blocked.{key}.values")}
                new_patterns = self.patterns(inner.get("patterns", []), f"blocked.{key}.patterns")
                kept = tuple(p for p in new_patterns if p not in old_patterns)
                by_namespace[key] = (old_values | more, old_patterns + kept)
        return Blocked(frozenset(values), tuple(patterns), by_namespace)

    def policy(self, document: Mapping[str, Any], start: Policy) -> Policy:
        self.only(document, ("version", *(_SCALARS), "default", "namespaces", "sources", "blocked"), "")
        if document.get("version", 1) != 1:
            raise self.fail("POLICY_VALUE", "version", f"{document['version']!r}", "Allowed: 1.")
        changes: dict[str, Any] = {}
        if "order" in document:
            if document["order"] not in ("strongest", "newest"):
                raise self.fail("POLICY_VALUE", "order", f"{document['order']!r}", "Allowed: strongest, newest.")
            changes["order"] = document["order"]
        if "min_weight" in document:
            changes["min_weight"] = self.number(document["min_weight"], "min_weight", 0, 1, whole=False)
        for key, low in (("max_identifiers", 2), ("pairwise_up_to", 2)):
            if key in document:
                changes[key] = self.number(document[key], key, low, 2**31 - 1, whole=True)
        if "session_gap" in document:
            changes["session_gap"] = self.duration(document["session_gap"], "session_gap")
        base = self.rule(self.table(document.get("default", {}), "default"), "default", start.default_rule)
        namespaces = dict(start.namespaces)
        for name, table in self.table(document.get("namespaces", {}), "namespaces").items():
            key = f"namespaces.{name}"
            if not NAMESPACE.fullmatch(name):
                raise self.fail("POLICY_KEY", key, "not a namespace", CODES["NAMESPACE_INVALID"])
            namespaces[name] = self.rule(self.table(table, key), key, namespaces.get(name, base))
        sources = dict(start.sources)
        for name, table in self.table(document.get("sources", {}), "sources").items():
            key = f"sources.{name}"
            self.only(self.table(table, key), ("trust",), key + ".")
            sources[name] = self.number(table.get("trust", 1.0), f"{key}.trust", 0, 1, whole=False)
        blocked = self.block(self.table(document.get("blocked", {}), "blocked"), start.blocked)
        return replace(start, default_rule=base, namespaces=namespaces, sources=sources, blocked=blocked, **changes)
