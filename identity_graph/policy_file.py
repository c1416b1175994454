"""The policy as a TOML file: read with errors that name the line, written in one canonical form."""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from identity_graph.errors import CODES, PolicyError
from identity_graph.policy import MEASURES, ORDERS, Blocked, Keep, Policy, Purpose, Rule, Similarity, any_of
from identity_graph.times import EARLIEST, LATEST, format_duration, parse_duration

NAMESPACE = re.compile(r"[a-z0-9][a-z0-9_.-]{0,63}", re.ASCII)
_HEADER = re.compile(r"""\s*(\[+)((?:[^\]"']|"(?:[^"\\]|\\.)*"|'[^']*')+)\]""")
_SETTING = re.compile(r"""\s*((?:[\w.-]|\s*"[^"]*"|\s*'[^']*')+)\s*=""")
_LIMIT = re.compile(r"(\d{1,6}) (?:ever|per (.+))", re.ASCII)
_SCALARS = ("order", "min_weight", "max_identifiers", "session_gap", "pairwise_up_to")
_TABLES = ("default", "namespaces", "sources", "blocked", "similarity", "purposes", "retention")
_CHOICES = ("opt-in", "opt-out")
_UNLIKE = ("a", "0", "ann@example.org", "+442079460958", "\u00e9\u00e8")
"""What finds something in all of these does in every value."""
_RULE = ("trust", "limit", "hub_cap", "priority", "half_life", "expires", "joins")


def default_text() -> str:
    """The default policy as TOML with the reason of each line."""
    return Path(__file__).with_name("policy.toml").read_text(encoding="utf-8")


def parse_policy(text: str, *, where: str, start: Policy, tried: bool = False) -> Policy:
    """The rules of a TOML text laid over `start`. Raises POLICY_SYNTAX, POLICY_KEY, POLICY_VALUE.

    Of one that was `tried` the patterns are not: importing what does takes longer than most commands."""
    try:
        document = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # also a number of thousands of digits, and brackets as deep
        ends = f", line {len(text.splitlines())}" if "at end of document" in str(error) else ""
        raise PolicyError("POLICY_SYNTAX", f"{where}{ends}: {error}") from error
    found = _Reader(text, where, tried).policy(document, start)
    vars(found)["_checked"] = True
    return found


def write_policy(policy: Policy) -> str:
    """The rules in canonical form."""
    lines = ["version = 1", f'order = "{policy.order}"', f"min_weight = {float(policy.min_weight)!r}"]
    lines += [f"max_identifiers = {policy.max_identifiers}"]
    lines += [f'session_gap = "{format_duration(policy.session_gap)}"']
    lines += [f"pairwise_up_to = {policy.pairwise_up_to}", "", "[default]", *_rule_lines(policy.default_rule)]
    for name in sorted(policy.namespaces):
        lines += ["", f"[namespaces.{_toml_key(name)}]", *_rule_lines(policy.namespaces[name])]
    for name in sorted(policy.sources):
        lines += ["", f"[sources.{_toml_key(name)}]", f"trust = {float(policy.sources[name])!r}"]
    lines += ["", "[blocked]", f"values = {_toml_list(sorted(policy.blocked.values))}"]
    lines += [f"patterns = {_toml_list(policy.blocked.patterns)}"]
    for name, (values, patterns) in sorted(policy.blocked.by_namespace.items()):
        inner = f"values = {_toml_list(sorted(values))}, patterns = {_toml_list(patterns)}"
        lines.append(f"{_toml_key(name)} = {{ {inner} }}")
    for one in policy.similarity:
        lines += ["", "[[similarity]]", f"between = {_toml_list(one.between)}", f"by = {_toml_list(one.by)}"]
        lines += [f'measure = "{one.measure}"', f"min = {float(one.min)!r}"]
        lines += [f"top_k = {one.top_k}", f"trust = {float(one.trust)!r}"]
    for name, purpose in sorted(policy.purposes.items()):
        lines += ["", f"[purposes.{_toml_key(name)}]", f'choice = "{_CHOICES[purpose.opt_out]}"']
        lines += [f"needs = {_toml_list(purpose.needs)}", f"stitch = {str(purpose.stitch).lower()}"]
        lines += [f"without_sources = {_toml_list(sorted(purpose.without_sources))}"]
    for keep in policy.retention:
        lines += ["", "[[retention]]"]
        lines += [
            f"{key} = {_toml_text(text)}" for key in ("source", "name") if (text := getattr(keep, key)) is not None
        ]
        lines += [f'keep = "{_age(keep.life)}"']
    return "\n".join(lines) + "\n"


def _rule_lines(rule: Rule) -> list[str]:
    limit = "none" if rule.limit is None else f"{rule.limit} {_window(rule.window)}"
    return [
        f"trust = {float(rule.trust)!r}",
        f'limit = "{limit}"',
        f"hub_cap = {rule.hub_cap}",
        f"priority = {rule.priority}",
        f'half_life = "{_age(rule.half_life)}"',
        f'expires = "{_age(rule.expires)}"',
        f"joins = {str(rule.joins).lower()}",
    ]


def _window(window: int | None) -> str:
    return "ever" if window is None else f"per {format_duration(window)}"


def _age(duration: int | None) -> str:
    return "none" if duration is None else format_duration(duration)


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

    def __init__(self, text: str, where: str, tried: bool) -> None:
        self.lines = text.splitlines()
        self.where, self.tried = where, tried

    def fail(self, code: str, key: str, message: str, help: str) -> PolicyError:
        line = self.line_of(key)
        place = f"{self.where}, line {line}" if line else self.where
        return PolicyError(code, f"{place}: {key}: {message}", help=help)

    def line_of(self, key: str) -> int | None:
        """The line that sets the dotted key, or else the nearest table or inline table around it, or else the first of
        what is in it. Tables of a list are counted from 1: `similarity.2.min`."""
        key = _plain(key)
        best, found, within, table = 0, None, None, ""
        times: Counter[str] = Counter()
        for number, text in enumerate(self.lines, 1):
            header = _HEADER.match(text)
            setting = _SETTING.match(text)
            if header:
                table = path = _plain(header[2])
                if header[1] == "[[":
                    times[path] += 1
                    table = path = f"{path}.{times[path]}"
            elif setting:
                path = f"{table}.{_plain(setting[1])}".lstrip(".")
            else:
                continue
            if len(path) > best and (key == path or key.startswith(path + ".")):
                best, found = len(path), number
            elif within is None and path.startswith(key + "."):
                within = number
        return found or within

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
        if not 0 < found <= LATEST - EARLIEST:
            raise self.fail("POLICY_VALUE", key, f"{value!r}", 'Allowed: a duration such as "30m" or "90 days".')
        return found

    def table(self, value: Any, key: str) -> Mapping[str, Any]:
        if not isinstance(value, dict):
            raise self.fail("POLICY_VALUE", key, f"{value!r}", f"{key} is a table: [{key}].")
        return value

    def age(self, value: Any, key: str) -> int | None:
        return None if value == "none" else self.duration(value, key)

    def one_of(self, value: Any, key: str, allowed: tuple[str, ...]) -> str:
        if not isinstance(value, str) or value not in allowed:
            raise self.fail("POLICY_VALUE", key, f"{value!r}", f"Allowed: {', '.join(allowed)}.")
        return value

    def limit(self, value: Any, key: str) -> tuple[int | None, int | None]:
        """How many, and the window in which they count."""
        if value == "none":
            return None, None
        match = _LIMIT.fullmatch(value) if isinstance(value, str) else None
        if not match or int(match[1]) < 1:
            help = 'Allowed: "1 ever", "5 ever", "5 per 365 days", ... up to 999999, or "none".'
            raise self.fail("POLICY_VALUE", key, f"{value!r}", help)
        return int(match[1]), None if match[2] is None else self.duration(match[2], key)

    def rule(self, table: Mapping[str, Any], key: str, start: Rule) -> Rule:
        self.only(table, _RULE, key + ".")
        changes: dict[str, Any] = {}
        if "trust" in table:
            changes["trust"] = self.number(table["trust"], f"{key}.trust", 0, 1, whole=False)
        if "limit" in table:
            changes["limit"], changes["window"] = self.limit(table["limit"], f"{key}.limit")
        if "hub_cap" in table:
            changes["hub_cap"] = self.number(table["hub_cap"], f"{key}.hub_cap", 1, 2**31 - 1, whole=True)
        if "priority" in table:
            changes["priority"] = self.number(table["priority"], f"{key}.priority", 1, 1000, whole=True)
        for name in ("half_life", "expires"):
            if name in table:
                changes[name] = self.age(table[name], f"{key}.{name}")
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
        """Expressions that Rust's regex crate takes: no back-references, no look-arounds."""
        found = tuple(self.texts(value, key))
        for pattern in found:
            self.compiles((pattern,), key)
        return found

    def compiles(self, patterns: tuple[str, ...], key: str) -> None:
        if self.tried or not patterns:
            return
        import polars as pl

        try:
            found = pl.Series(_UNLIKE).str.contains(any_of(patterns))
        except pl.exceptions.ComputeError:
            what = f"{patterns[0]!r}" if len(patterns) == 1 else "all the patterns together"
            help = "Allowed: expressions of moderate size without back-references and look-arounds."
            raise self.fail("POLICY_VALUE", key, what, help) from None
        if len(patterns) == 1 and found.all():
            raise self.fail("POLICY_VALUE", key, f"{patterns[0]!r}", "It finds something in every value.")

    def block(self, table: Mapping[str, Any], start: Blocked) -> Blocked:
        values, patterns = set(start.values), list(start.patterns)
        by_namespace = dict(start.by_namespace)
        for key, value in table.items():
            if key == "values":
                values.update(text.lower() for text in self.texts(value, "blocked.values"))
            elif key == "patterns":
                patterns += [p for p in self.patterns(value, "blocked.patterns") if p not in patterns]
            else:
                if not NAMESPACE.fullmatch(key):
                    raise self.fail("POLICY_KEY", f"blocked.{key}", "not a namespace", CODES["NAMESPACE_INVALID"])
                inner = self.table(value, f"blocked.{key}")
                self.only(inner, ("values", "patterns"), f"blocked.{key}.")
                old_values, old_patterns = by_namespace.get(key, (frozenset(), ()))
                more = {t.lower() for t in self.texts(inner.get("values", []), f"blocked.{key}.values")}
                new_patterns = self.patterns(inner.get("patterns", []), f"blocked.{key}.patterns")
                kept = tuple(p for p in new_patterns if p not in old_patterns)
                by_namespace[key] = (old_values | more, old_patterns + kept)
        for key, (_, own) in {"": (frozenset(), ()), **by_namespace}.items():
            self.compiles((*patterns, *own), f"blocked.{key or 'patterns'}")
        return Blocked(frozenset(values), tuple(patterns), by_namespace)

    def similarities(self, value: Any, namespaces: Mapping[str, Rule]) -> tuple[Similarity, ...]:
        if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
            help = "similarity is a list of tables: [[similarity]]."
            raise self.fail("POLICY_VALUE", "similarity", f"{value!r}", help)
        return tuple(self.one_similarity(one, f"similarity.{n}", namespaces) for n, one in enumerate(value, 1))

    def one_similarity(self, table: Mapping[str, Any], key: str, namespaces: Mapping[str, Rule]) -> Similarity:
        self.only(table, ("between", "by", "measure", "min", "top_k", "trust"), key + ".")
        between, by = (self.known(table.get(name, []), f"{key}.{name}", namespaces) for name in ("between", "by"))
        for name in between:
            if not namespaces[name].joins:
                help = f"{name} has joins = false: a link of it would join nobody."
                raise self.fail("POLICY_VALUE", f"{key}.between", f"{name!r}", help)
            if name in by:
                help = "Allowed: namespaces that are not those of `between`."
                raise self.fail("POLICY_VALUE", f"{key}.by", f"{name!r}", help)
        changes: dict[str, Any] = {}
        if "measure" in table:
            changes["measure"] = self.one_of(table["measure"], f"{key}.measure", MEASURES)
        for name, low in (("min", 1e-6), ("trust", 0)):
            if name in table:
                changes[name] = self.number(table[name], f"{key}.{name}", low, 1, whole=False)
        if "top_k" in table:
            changes["top_k"] = self.number(table["top_k"], f"{key}.top_k", 1, 1000, whole=True)
        return Similarity(between, by, **changes)

    def known(self, value: Any, key: str, namespaces: Mapping[str, Rule]) -> tuple[str, ...]:
        """One or more namespaces that have a table, none twice."""
        names: Sequence[str] = self.texts(value, key)
        if not names or len(set(names)) < len(names) or not set(names) <= namespaces.keys():
            help = f"Allowed: different ones of {', '.join(sorted(namespaces))}."
            raise self.fail("POLICY_VALUE", key, f"{value!r}", help)
        return tuple(names)

    def purposes(self, tables: Mapping[str, Any], start: Mapping[str, Purpose]) -> Mapping[str, Purpose]:
        found = dict(start)
        for name, given in tables.items():
            key = f"purposes.{name}"
            table = self.table(given, key)
            self.only(table, ("choice", "needs", "stitch", "without_sources"), key + ".")
            if not 1 <= len(name) <= 128 or not name.isprintable():
                raise self.fail("POLICY_KEY", key, "not a purpose", "Allowed: names of 1 to 128 printable characters.")
            if not isinstance(table.get("stitch", False), bool):
                raise self.fail("POLICY_VALUE", f"{key}.stitch", f"{table['stitch']!r}", "Allowed: true, false.")
            found[name] = Purpose(
                opt_out=self.one_of(table.get("choice", "opt-in"), f"{key}.choice", _CHOICES) == "opt-out",
                needs=tuple(self.texts(table.get("needs", []), f"{key}.needs")),
                stitch=table.get("stitch", False),
                without_sources=frozenset(self.texts(table.get("without_sources", []), f"{key}.without_sources")),
            )
        for name, purpose in found.items():
            for other in purpose.needs:
                if other == name or other not in found:
                    known = ", ".join(sorted(found.keys() - {name})) or "none, as there is no other purpose"
                    raise self.fail("POLICY_VALUE", f"purposes.{name}.needs", f"{other!r}", f"Allowed: {known}.")
        return found

    def keeps(self, value: Any) -> tuple[Keep, ...]:
        if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
            help = "retention is a list of tables: [[retention]]."
            raise self.fail("POLICY_VALUE", "retention", f"{value!r}", help)
        return tuple(self.keep(one, f"retention.{n}") for n, one in enumerate(value, 1))

    def keep(self, table: Mapping[str, Any], key: str) -> Keep:
        self.only(table, ("source", "name", "keep"), key + ".")
        for name in ("source", "name"):
            if name in table and (not isinstance(table[name], str) or not table[name]):
                raise self.fail("POLICY_VALUE", f"{key}.{name}", f"{table[name]!r}", "Allowed: a text.")
        if "keep" not in table:
            raise self.fail("POLICY_KEY", f"{key}.keep", "it is missing", 'Write, say, keep = "400 days", or "none".')
        return Keep(self.age(table["keep"], f"{key}.keep"), table.get("source"), table.get("name"))

    def policy(self, document: Mapping[str, Any], start: Policy) -> Policy:
        self.only(document, ("version", *_SCALARS, *_TABLES), "")
        if document.get("version", 1) != 1:
            raise self.fail("POLICY_VALUE", "version", f"{document['version']!r}", "Allowed: 1.")
        changes: dict[str, Any] = {}
        if "order" in document:
            changes["order"] = self.one_of(document["order"], "order", ORDERS)
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
        changes["blocked"] = self.block(self.table(document.get("blocked", {}), "blocked"), start.blocked)
        if "similarity" in document:
            changes["similarity"] = self.similarities(document["similarity"], namespaces)
        if "purposes" in document:
            changes["purposes"] = self.purposes(self.table(document["purposes"], "purposes"), start.purposes)
        if "retention" in document:
            changes["retention"] = self.keeps(document["retention"])
        return replace(start, default_rule=base, namespaces=namespaces, sources=sources, **changes)
