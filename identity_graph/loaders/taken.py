"""What is left of a record once paths have been taken out of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from identity_graph.loaders.path import Path

_Prune = Callable[[Any], Any]
_Tree = dict[tuple[str, bool], Any]
_WHOLE, _OBJECT = "whole", "object"


def remainder(values: Iterable[Path], objects: Iterable[Path], root: Path) -> Callable[[Mapping[str, Any]], Any]:
    """Reads the object at `root` without the values at the paths of `values`, and without the objects at the
    paths of `objects` (anything else that is found there stays). Objects and lists that this empties go too.
    The record is not changed, and what has nothing to lose is its own object, not a copy. What is at `root` and no
    object comes back as it is.

    >>> rest = remainder([Path.parse("a.b"), Path.parse("c[].d")], [], Path.parse("."))
    >>> rest({"a": {"b": 1}, "c": [{"d": 2}, {"d": 3, "e": 4}], "f": 5})
    {'c': [{'e': 4}], 'f': 5}
    """
    tree: _Tree = {}
    for paths, mark in ((objects, _OBJECT), (values, _WHOLE)):
        for path in paths:
            if path.steps:
                _plant(tree, path.steps, mark)
    branch: Any = tree
    for step in root.steps:
        branch = branch.get(step, {}) if isinstance(branch, dict) else {}
    prune = _pruner(branch if isinstance(branch, dict) else {})
    if not root.steps:
        return lambda record: prune(record) or {}
    read = root.one()

    def rest(record: Mapping[str, Any]) -> Any:
        value = read(record)
        return (prune(value) or {}) if isinstance(value, dict) else value

    return rest


def _plant(tree: _Tree, steps: tuple[tuple[str, bool], ...], mark: str) -> None:
    for step in steps[:-1]:
        below = tree.setdefault(step, {})
        if not isinstance(below, dict):  # the whole of it is taken already
            return
        tree = below
    tree[steps[-1]] = mark


def _pruner(tree: _Tree) -> _Prune:
    """Takes away what the tree names; None of an object that this empties. Compiled: it runs for every record."""
    whole = frozenset(key for (key, fan), below in tree.items() if below is _WHOLE and not fan)
    objects = tuple(key for (key, _), below in tree.items() if below is _OBJECT)
    deeper = tuple(
        (key, _each(below) if fan else _pruner(below))
        for (key, fan), below in tree.items()
        if below is not _OBJECT and (fan or below is not _WHOLE)
    )
    names = frozenset(key for key, _ in tree)

    def prune(value: Any) -> Any:
        if value.__class__ is not dict or names.isdisjoint(value):
            return value
        left = {key: inner for key, inner in value.items() if key not in whole}
        for key in objects:
            if left.get(key).__class__ is dict:
                del left[key]
        for key, below in deeper:
            if key in left:
                found = below(left[key])
                if found is None:
                    del left[key]
                else:
                    left[key] = found
        return left or None

    return prune


def _each(below: Any) -> _Prune:
    """The same for the elements of a list."""
    inner = None if below is _WHOLE else _pruner(below)

    def prune(value: Any) -> Any:
        if not isinstance(value, list):
            return value
        left = [inner(element) for element in value] if inner else []
        return [element for element in left if element is not None] or None

    return prune
