"""What was published of persons, by identifiers and not by numbers: as a store has it, and as it follows at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from identity_graph.linking import identifier_at
from identity_graph.model import Event, Identifier, Reason
from identity_graph.policy import Policy
from identity_graph.reasons import suppressed_reason
from identity_graph.resolve.prune import CODES
from identity_graph.store.protocols import Store
from tests.unit.as_columns import groups, identifiers, resolved

Pair = frozenset[Identifier]


@dataclass(frozen=True)
class Outcome:
    persons: set[frozenset[Identifier]]
    pruned: Mapping[Identifier, str]
    suppressed: Mapping[Pair, Reason]

    def __hash__(self) -> int:
        return hash(tuple(map(frozenset, (self.persons, self.pruned.items(), self.suppressed.items()))))

    @property
    def hard(self) -> set[Identifier]:
        """Whose component was too large for a least cut, or took too many steps."""
        return {
            end for ends, why in self.suppressed.items() if "too large for a least cut" in why.message for end in ends
        }

    @classmethod
    def at_once(cls, events: Iterable[Event], policy: Policy) -> Outcome:
        """Of all events by the pure function, without a store."""
        found = resolved(events, policy)
        names, table, links = identifiers(found), found.groups.suppressed, found.links
        suppressed = {}
        columns = (table.link, table.code, table.step, table.value_a, table.value_b)
        for link, code, step, *values in zip(*(column.tolist() for column in columns), strict=True):
            one, other = (identifier_at(found, value) if value >= 0 else None for value in values)
            ends = frozenset((names[links.a[link]], names[links.b[link]]))
            suppressed[ends] = suppressed_reason(code, step, one, other, policy)
        pruned = {one: CODES[code] for one, code in zip(names, found.pruned.tolist(), strict=True) if code}
        return cls(groups(found), pruned, suppressed)


@dataclass(frozen=True)
class Published:
    """`owner`: the person id of each identifier that is a member of one."""

    everyone: set[Identifier]
    owner: Mapping[Identifier, str]
    outcome: Outcome

    @classmethod
    def read(cls, store: Store) -> Published:
        table, values = store.evidence.identifier_table()
        spaces = [table.namespaces[space] for space in table.namespace.tolist()]
        numbers = table.number.tolist()
        names = dict(zip(numbers, map(Identifier, spaces, values), strict=True))
        members, owners = (column.tolist() for column in store.persons.membership())
        rows = store.persons.persons_by_number(sorted(set(owners)))
        ids = {row.number: row.id for row in rows if row}
        groups: dict[int, set[Identifier]] = {}
        for member, owner in zip(members, owners, strict=True):
            groups.setdefault(owner, set()).add(names[member])
        pruned, codes = store.persons.pruned()
        suppressed = {
            frozenset((names[row.a], names[row.b])): row.reason
            for rows in store.persons.suppressed(numbers)
            for row in rows
        }
        return cls(
            set(names.values()),
            {names[member]: ids[owner] for member, owner in zip(members, owners, strict=True)},
            Outcome(
                {frozenset(group) for group in groups.values()},
                {names[number]: code for number, code in zip(pruned.tolist(), codes, strict=True)},
                suppressed,
            ),
        )
