"""The links that the graph keeps, as columns: all of them, or those of some identifiers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any

import numpy as np

from identity_graph.policy import Policy
from identity_graph.resolve import fold_links
from identity_graph.resolve.fold import merge
from identity_graph.store.neo4j.chunks import CHUNK, LINKS, in_chunks
from identity_graph.store.neo4j.connection import Connection
from identity_graph.tables import EvidenceTable, IdentifierTable, Int32, Int64, ObservationTable, StatementTable


class Links:
    """Of dense identifiers, positions in `identifiers`, and of sources numbered by name."""

    def __init__(self, database: Connection, identifiers: IdentifierTable, values: Sequence[str]) -> None:
        self._database = database
        self._identifiers = identifiers
        self._values = values
        self.sources: Sequence[str] = sorted(database.property("sources", ()))
        self._names = {name: number for number, name in enumerate(self.sources)}

    def everything(self) -> Iterator[EvidenceTable]:
        """Of the events that are not wide, in any order."""
        after, found = -1, LINKS
        while found == LINKS:
            after, *columns = self._database.one("evidence/link_table", after=after, most=LINKS)
            found = len(columns[0])
            yield self._table(columns)

    def around(self, rows: Int64) -> EvidenceTable:
        """Those that touch any of these identifiers, by row, of events that are not wide."""
        numbers = self._identifiers.number[rows].tolist()
        found = [self._database.one("engine/links_around", numbers=chunk) for chunk in in_chunks(numbers)]
        table = self._table([list(chain.from_iterable(column)) for column in zip(*found, strict=True)])
        # A link with both ends in different chunks came twice.
        _, first = np.unique(np.stack([table.a, table.b, table.source]), axis=1, return_index=True)
        return taken(table, first) if found else merge([])

    def between(self, a: Int32, b: Int32) -> EvidenceTable:
        """Those of these pairs, a < b, of events that are not wide."""
        number = self._identifiers.number
        pairs = np.stack([number[a], number[b]], axis=1).tolist()
        return merge(
            [self._table(self._database.one("engine/links_between", pairs=chunk)) for chunk in in_chunks(pairs, CHUNK)]
        )

    def wide(self, policy: Policy, said: StatementTable) -> EvidenceTable:
        """Those that follow, under the policy, from events that saw many identifiers; `said` as for `fold_links`."""
        events, times, sources, seen = self._database.one("evidence/wide_observations")
        lengths = [len(one) for one in seen]
        observed = ObservationTable(
            np.repeat(np.array(events, dtype=np.int64), lengths),
            np.array(list(chain.from_iterable(seen)), dtype=np.int64),
            np.repeat(np.array(times, dtype=np.int64), lengths),
            np.repeat(np.array([self._names[name] for name in sources], dtype=np.int16), lengths),
        )
        return fold_links(self._identifiers, self._values, observed, self.sources, policy, said=said)

    def _table(self, columns: Sequence[Sequence[Any]]) -> EvidenceTable:
        if not columns:
            return merge([])
        a, b, sources, counts, first_seen, last_seen = columns
        low, high = (
            np.searchsorted(self._identifiers.number, np.array(end, dtype=np.int64)).astype(np.int32) for end in (a, b)
        )
        return EvidenceTable(
            a=low,
            b=high,
            source=np.fromiter(map(self._names.__getitem__, sources), dtype=np.int16, count=len(sources)),
            count=np.array(counts, dtype=np.int32),
            first_seen=np.array(first_seen, dtype=np.int64),
            last_seen=np.array(last_seen, dtype=np.int64),
        )


def taken(table: EvidenceTable, rows: Int64) -> EvidenceTable:
    """The rows of a table, in that order."""
    return EvidenceTable(
        table.a[rows],
        table.b[rows],
        table.source[rows],
        table.count[rows],
        table.first_seen[rows],
        table.last_seen[rows],
    )
