"""What is left of a record once paths have been taken out of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from identity_graph.loaders.path import Path

_Tree = dict[tuple[str, bool], Any]
_WHOLE, _OBJECT = "whole", "object"


def remainder(values: Iterable[Path], objects: Iterable[Path], root: Path) -> Callable[[Mapping[str, Any]], Any]:
    """Reads the object at `root` without the values at the paths of `values`, and without the objects at the
    paths of `objects` (anything else that is found there stays). Objects and lists that this empties go too.
    The record itself is not changed.

    >>> rest = remainder([Path.parse("a.b"), Path.parse("c[].d")], [], Path.parse("."))
    >>> rest({"a": {"b": 1}, "c": [{"d": 2}, {"d": 3, "e": 4}], "f": 5})
    {'c': [{'e': 4}], 'f': 5}
    """
    tree: _Tree = {}
    for paths, mark in ((objects, _OBJECT), (values, _WHOLE)):
        for path in paths:
            if path.steps:
                _plant(tree, path.steps, mark)
    read = root.one() if root.steps else None
    branch: Any = tree
    for step in root.steps:
        branch = branch.get(step, {}) if isinstance(branch, dict) else {}
    if not isinstance(branch, dict):
        branch = {}
    gone = [key for (key, fan), below in branch.items() if below is _WHOLE and not fan]
    deeper = [(key, fan, below) for (key, fan), below in branch.items() if below is not _WHOLE or fan]

    def rest(record: Mapping[str, Any]) -> Any:
        value = read(record) if read else record
        if not isinstance(value, dict):
            return None
        left = dict(value)
        for key in gone:
            left.pop(key, None)
        for key, fan, below in deeper:
            if key in left:
                _prune(left, key, fan, below)
        return left

    return rest


def _plant(tree: _Tree, steps: tuple[tuple[str, bool], ...], mark: str) -> None:
    for step in steps[:-1]:
        below = tree.setdefault(step, {})
        if not isinstance(below, dict):  # the whole of it is taken already
            return
        tree = below
    # An object of which more is taken as values: what is taken as a whole wins.
    tree[steps[-1]] = mark


def _prune(left: dict[str, Any], key: str, fan: bool, below: Any) -> None:
    value = left[key]
    if fan:
        if isinstance(value, list):
            kept = [_without(element, below) for element in value] if below is not _WHOLE else []
            left[key] = [element for element in kept if element is not None]
            if not left[key]:
                del left[key]
    else:
        found = _without(value, below)
        if found is None:
            del left[key]
        else:
            left[key] = found


def _without(value: Any, below: Any) -> Any:
    """The value without what the tree names; None of nothing."""
    if below is _WHOLE:
        return None
    if not isinstance(value, dict):
        return value
    if below is _OBJECT:
        return None
    left = dict(value)
    for (key, fan), deeper in below.items():
        if key in left:
            _prune(left, key, fan, deeper)
    return left or None
