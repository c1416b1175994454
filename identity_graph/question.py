"""Questions: what the leaves of conditions ask of one person, each answered by one value on which tests are made."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Literal, NamedTuple, TypeAlias

import orjson

from identity_graph.consent import status
from identity_graph.measure import Reach, parse_measure, reach_of
from identity_graph.segment import Facts, Lookup, ages, parse_condition
from identity_graph.times import format_time

Tree: TypeAlias = Mapping[str, Any]
Answer = Callable[[Facts, int], Any]
"""The value, None where there is none, of a person at a time in microseconds."""


class Question(NamedTuple):
    """`text` names a trait, a namespace or a purpose, or is as canonical JSON what is measured of events, or their
    sequence. `size` is how many identifiers there are, and `seen` the time of the newest event."""

    kind: Literal["trait", "stated", "identifier", "measure", "sequence", "consent", "size", "seen"]
    text: str = ""

    @property
    def table(self) -> dict[str, Any]:
        """Of a measure or a sequence."""
        found: dict[str, Any] = orjson.loads(self.text)
        return found

    @property
    def moves(self) -> bool:
        """Whether the clock alone may change the answer."""
        if self.kind == "consent":  # it may end
            return True
        if self.kind == "sequence":  # the time that it gives from one step to the next does not pass with the clock
            return ages({"steps": self.table["steps"]})
        return self.kind == "measure" and ages(self.table)

    def answer(self) -> Answer:
        """As `segment` and `measure` mean it."""
        name = self.text
        if self.kind == "trait":
            return lambda facts, now: facts.traits.get(name)
        if self.kind == "stated":
            return lambda facts, now: format_time(facts.stated[name]) if name in facts.stated else None
        if self.kind == "identifier":
            return lambda facts, now: sum(one.namespace == name for one in facts.identifiers)
        if self.kind == "size":
            return lambda facts, now: len(facts.identifiers)
        if self.kind == "seen":
            return lambda facts, now: facts.events[-1].time if facts.events else None
        if self.kind == "consent":
            return lambda facts, now: status(facts.events, name, now)
        if self.kind == "sequence":
            return parse_condition({"sequence": self.table})
        measure = parse_measure(self.table, "")
        return lambda facts, now: measure(facts.events, now)

    def reaches(self, now: int) -> list[Reach]:
        """What of events the answer depends on, beside that they are there."""
        if self.kind == "consent":
            return [Reach(None, None, None, None)]
        if self.kind == "sequence":
            return [reach_of(step, now) for step in self.table["steps"]]
        return [reach_of(self.table, now)] if self.kind == "measure" else []


def tests_of(kind: str, given: Any, computed: Lookup) -> list[tuple[Question, Tree]]:
    """What a leaf asks, and the tests that the answers must pass."""
    if kind == "trait":
        found: list[tuple[Question, Tree]] = [(Question("trait", given["name"]), given["is"])]
        if given.get("stated") is not None:
            found.append((Question("stated", given["name"]), given["stated"]))
        return found
    if kind == "identifier":
        count = given.get("count")
        return [(Question("identifier", given["namespace"]), {"range": {"from": 1} if count is None else count})]
    if kind == "sequence":
        return [(Question("sequence", _canonical(given)), {"equals": True})]
    if kind == "consent":
        return [(Question("consent", given["purpose"]), given["is"])]
    table = given if kind == "event" else computed(given["name"]) or {}  # a quantile is of a computed trait, too
    return [(Question("measure", _canonical({key: table[key] for key in table if key != "is"})), given["is"])]


def questions_of(trees: Sequence[Tree], lookup: Lookup, computed: Lookup) -> set[Question]:
    """Those of the trees of segments that they name, too. They are trees that `parse_condition` takes."""
    leaves = (leaf for tree in trees for leaf in _leaves(tree, lookup))
    return {question for kind, given in leaves for question, _ in tests_of(kind, given, computed)}


def _leaves(tree: Tree, lookup: Lookup) -> Iterator[tuple[str, Any]]:
    ((kind, given),) = tree.items()
    if kind in ("all", "any"):
        for part in given:
            yield from _leaves(part, lookup)
    elif kind in ("not", "segment"):
        yield from _leaves(given if kind == "not" else lookup(given) or {}, lookup)
    else:
        yield kind, given


def _canonical(table: Tree) -> str:
    given = {key: value for key, value in table.items() if value is not None}
    return orjson.dumps(given, option=orjson.OPT_SORT_KEYS).decode()
