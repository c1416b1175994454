"""What a GraphQL document would cost, found before it is validated or run.

Linear in the length of the document: every definition is walked once without following its spreads, then the
definitions are added up, each fragment after those it spreads. A thousand spreads of spreads cost no more than their
text, and nothing here recurses. Only what is then known to be small is written out, to count what validation would
compare.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    IntValueNode,
    ListValueNode,
    ObjectValueNode,
    OperationDefinitionNode,
    OperationType,
    SelectionNode,
    SelectionSetNode,
    ValueNode,
    VariableNode,
)

from identity_graph.errors import QueryError

MAX_LENGTH = 20_000
MAX_TOKENS = 1_500
MAX_DEPTH = 15
MAX_LEVELS = 50  # of anything in itself: inline fragments, and values that are written in the document
MAX_FIELDS = 1_000
MAX_ROOTS = 50
MAX_OPERATIONS = 50
MAX_MUTATIONS = 10
MAX_DIRECTIVES = 50
MAX_COMPARISONS = 2_000
MAX_NODES = 500_000

_KEYS = {"people": "by", "_entities": "representations"}  # fields that answer as many as they are given
_TWICE = "fields and fragments twice in one place"
PAGE_DEFAULT = 20
PAGE_LARGEST = 100


@dataclass(slots=True)
class Cost:
    """`fields` as written, spreads followed; `nodes` as answered: times the sizes of the pages around them."""

    depth: int = 0
    fields: int = 0
    nodes: int = 0
    roots: int = 0

    def add(self, other: Cost, *, below: int, times: int) -> None:
        self.depth = max(self.depth, below + other.depth)
        self.fields += other.fields
        self.nodes += times * other.nodes
        if below == 0:
            self.roots += other.roots


@dataclass(slots=True)
class _Part:
    """One definition by itself; `spreads` are (fragment, fields above it, product of the pages above it)."""

    cost: Cost = field(default_factory=Cost)
    spreads: list[tuple[str, int, int]] = field(default_factory=list)
    directives: int = 0
    levels: int = 0
    names: set[str] = field(default_factory=set)


def check_cost(document: DocumentNode, paged: Set[str]) -> Set[str]:
    """The names of all fields; refuses a document that is too large once its fragments are in place.

    `paged` names the fields whose answers are pages. A page whose size is a variable counts as the largest.
    Raises QUERY_TOO_COMPLEX, and QUERY_INVALID of fragments that nothing spreads, that spread each other in a circle,
    or that are spread and are not there.
    """
    fragments: dict[str, FragmentDefinitionNode] = {}
    operations: list[OperationDefinitionNode] = []
    for definition in document.definitions:
        if isinstance(definition, FragmentDefinitionNode):
            fragments[definition.name.value] = definition
        elif isinstance(definition, OperationDefinitionNode):
            operations.append(definition)
    _refuse_over("operations", len(operations), MAX_OPERATIONS)
    parts = {name: _walk(fragment, paged) for name, fragment in fragments.items()}
    own = [_walk(operation, paged) for operation in operations]
    every = (*parts.values(), *own)
    _refuse_over("directives", sum(part.directives for part in every), MAX_DIRECTIVES)
    _refuse_over("levels in each other", max((part.levels for part in every), default=0), MAX_LEVELS)
    _refuse_unknown(parts, every)
    totals = _add_up(parts)
    whole = [_total(part, totals) for part in own]
    for operation, total in zip(operations, whole, strict=True):
        _refuse_over("levels of fields", total.depth, MAX_DEPTH)
        _refuse_over("fields at its root", total.roots, MAX_ROOTS)
        if operation.operation is OperationType.MUTATION:
            _refuse_over("mutations", total.roots, MAX_MUTATIONS)
        _refuse_over("nodes, pages times pages,", total.nodes, MAX_NODES)
    _refuse_over("fields", sum(total.fields for total in whole), MAX_FIELDS)
    _refuse_unused(parts, own)
    _refuse_overlaps(operations, fragments)
    return frozenset().union(*(part.names for part in every))


def _refuse_unknown(parts: Mapping[str, _Part], every: Sequence[_Part]) -> None:
    """Validation refuses them, too, but compares all spreads with each other before."""
    for part in every:
        for name, _, _ in part.spreads:
            if name not in parts:
                raise QueryError(
                    "QUERY_INVALID",
                    f"fragment {name} is spread, and there is none",
                    help="Write it, or spread it nowhere.",
                )


def _refuse_unused(parts: Mapping[str, _Part], own: Sequence[_Part]) -> None:
    """Validation refuses them, too, but looks at all that they hold before."""
    waiting, used = list(own), set[str]()
    while waiting:
        spread = {name for name, _, _ in waiting.pop().spreads if name in parts and name not in used}
        used |= spread
        waiting += [parts[name] for name in spread]
    if len(used) < len(parts):
        name = min(parts.keys() - used)
        raise QueryError("QUERY_INVALID", f"fragment {name} is spread nowhere", help="Take it out of the document.")


def _refuse_overlaps(
    operations: Sequence[OperationDefinitionNode], fragments: Mapping[str, FragmentDefinitionNode]
) -> None:
    """Validation compares every two fields of one name in one place, whether written there, in fragments that are
    spread there or below another field of one name; and every two fragments that are spread in one place."""
    comparisons = 0
    places = [[operation.selection_set] for operation in operations]
    while places:
        waiting = [selection for selections in places.pop() for selection in selections.selections]
        below: dict[str, list[SelectionSetNode | None]] = {}
        spreads = 0
        while waiting:
            selection = waiting.pop()
            if isinstance(selection, FieldNode):
                below.setdefault((selection.alias or selection.name).value, []).append(selection.selection_set)
            elif isinstance(selection, InlineFragmentNode):
                waiting += selection.selection_set.selections
            elif isinstance(selection, FragmentSpreadNode) and selection.name.value in fragments:
                comparisons += spreads
                spreads += 1
                _refuse_over(_TWICE, comparisons, MAX_COMPARISONS)
                waiting += fragments[selection.name.value].selection_set.selections
        comparisons += sum(many * (many - 1) // 2 for many in map(len, below.values()))
        _refuse_over(_TWICE, comparisons, MAX_COMPARISONS)
        places += [held for sets in below.values() if (held := [found for found in sets if found])]


def _refuse_over(what: str, number: int, limit: int) -> None:
    if number > limit:
        counted = f"{number:,}" if number < 10**12 else "far more"
        raise QueryError(
            "QUERY_TOO_COMPLEX",
            f"the document asks for {counted} {what}; {limit:,} are allowed",
            help="Ask for less at once: fewer fields, smaller pages, or several requests.",
        )


def _walk(definition: FragmentDefinitionNode | OperationDefinitionNode, paged: Set[str]) -> _Part:
    part = _Part(directives=len(definition.directives or ()))
    cost = part.cost
    values: list[ValueNode] = [one.default_value for one in definition.variable_definitions or () if one.default_value]
    waiting: list[tuple[SelectionNode, int, int, int]] = [
        (selection, 0, 1, 1) for selection in definition.selection_set.selections
    ]
    while waiting:
        selection, above, times, level = waiting.pop()
        part.levels = max(part.levels, level)
        for directive in selection.directives or ():
            part.directives += 1
            values += [argument.value for argument in directive.arguments or ()]
        if isinstance(selection, FragmentSpreadNode):
            part.spreads.append((selection.name.value, above, times))
            continue
        if isinstance(selection, FieldNode):
            part.names.add(selection.name.value)
            cost.fields += 1
            cost.nodes += times
            cost.depth = max(cost.depth, above + 1)
            cost.roots += above == 0
            values += [argument.value for argument in selection.arguments or ()]
            inner, times = above + 1, times * _page(selection, paged)
        else:
            assert isinstance(selection, InlineFragmentNode)
            inner = above
        if selection.selection_set:
            waiting += [(child, inner, times, level + 1) for child in selection.selection_set.selections]
    part.levels = max(part.levels, _levels(values))
    return part


def _levels(values: Sequence[ValueNode]) -> int:
    """Of the deepest one."""
    levels = 0
    while values:
        levels += 1
        values = [below for value in values for below in _inside(value)]
    return levels


def _inside(value: ValueNode) -> Sequence[ValueNode]:
    if isinstance(value, ObjectValueNode):
        return [field.value for field in value.fields]
    return value.values if isinstance(value, ListValueNode) else ()


def _page(node: FieldNode, paged: Set[str]) -> int:
    """How many times the fields below will be answered at most."""
    sizes = {argument.name.value: argument.value for argument in node.arguments or ()}
    if node.name.value in _KEYS:
        return _size(sizes.get(_KEYS[node.name.value]))
    if node.name.value not in paged:
        return 1
    return _size(sizes.get("first") or sizes.get("last"))


def _size(value: ValueNode | None) -> int:
    if isinstance(value, IntValueNode):
        digits = value.value.lstrip("-")
        return min(int(digits), PAGE_LARGEST) if len(digits) < 4 else PAGE_LARGEST
    if isinstance(value, ListValueNode):
        return min(len(value.values), PAGE_LARGEST)
    return PAGE_LARGEST if isinstance(value, VariableNode) else PAGE_DEFAULT


def _add_up(fragments: dict[str, _Part]) -> dict[str, Cost]:
    """Of every fragment its cost with its spreads in place; fragments that are spread come first."""
    waits_for = {name: {spread for spread, _, _ in part.spreads} & fragments.keys() for name, part in fragments.items()}
    used_by: dict[str, list[str]] = {name: [] for name in fragments}
    for name, needed in waits_for.items():
        for spread in needed:
            used_by[spread].append(name)
    ready = [name for name, needed in waits_for.items() if not needed]
    totals: dict[str, Cost] = {}
    while ready:
        name = ready.pop()
        totals[name] = _total(fragments[name], totals)
        for user in used_by[name]:
            waits_for[user].discard(name)
            if not waits_for[user]:
                ready.append(user)
    if len(totals) < len(fragments):
        circle = min(name for name in fragments if name not in totals)
        raise QueryError(
            "QUERY_INVALID",
            f"fragment {circle} spreads itself, directly or through others",
            help="Take one of the spreads out of the circle.",
        )
    return totals


def _total(part: _Part, totals: dict[str, Cost]) -> Cost:
    own = part.cost
    total = Cost(own.depth, own.fields, own.nodes, own.roots)
    for spread, above, times in part.spreads:
        if spread in totals:
            total.add(totals[spread], below=above, times=times)
    return total
