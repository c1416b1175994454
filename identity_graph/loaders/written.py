"""Canonical JSON of many objects that are alike: one template, filled in from columns, and no object is made."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from identity_graph.event_table import canonical_json, json_texts
from identity_graph.loaders.alike import Mark
from identity_graph.repeated import Repeated


def written(found: dict[str, Any], count: int, column_of: Callable[[Mark], Sequence[Any]]) -> Sequence[str]:
    """Of each of `count` records, of what stands here with marks for values that differ.

    >>> list(written({"b": Mark(["x", "%"]), "a": {"n": Mark([1, 2])}}, 2, lambda mark: mark.column))
    ['{"a":{"n":1},"b":"x"}', '{"a":{"n":2},"b":"%"}']
    """
    columns: list[Sequence[Any]] = []
    template = _template(found, columns, column_of)
    if not columns:
        return Repeated(template % (), count)
    return list(map(template.__mod__, zip(*columns, strict=True)))


def _template(value: Any, columns: list[Sequence[Any]], column_of: Callable[[Mark], Sequence[Any]]) -> str:
    if value.__class__ is dict:
        pairs = (f"{_fixed(key)}:{_template(inner, columns, column_of)}" for key, inner in sorted(value.items()))
        return "{" + ",".join(pairs) + "}"
    if value.__class__ is not Mark:
        return _fixed(value)
    column = column_of(value)
    if value.change is None and column[0].__class__ is str and _stands_as_it_is("".join(column)):
        columns.append(column)
        return '"%s"'
    columns.append(json_texts(column))
    return "%s"


def _stands_as_it_is(text: str) -> bool:
    return text.isascii() and text.isprintable() and '"' not in text and "\\" not in text


def _fixed(value: Any) -> str:
    return canonical_json(value).replace("%", "%%")
