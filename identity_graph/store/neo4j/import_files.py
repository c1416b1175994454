"""Any store as files for Neo4j's offline importer: the graph that a Neo4j store of the same contents would have."""

from __future__ import annotations

import shlex
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from uuid import uuid4

import numpy as np

from identity_graph.event_table import canonical_json
from identity_graph.secret_file import private
from identity_graph.store.keyring import VARIABLE
from identity_graph.store.neo4j.connection import VERSION
from identity_graph.store.neo4j.event_rows import PAIRWISE, by_event, links_of, record_of
from identity_graph.store.neo4j.import_tables import ImportTables
from identity_graph.store.neo4j.link_runs import LinkRuns
from identity_graph.store.numbered import LARGEST_NUMBER, NUMBER_BITS, numbered
from identity_graph.store.protocols import EventColumns, IdentifierRow, PersonRow, Piece, Standing

NEO4J = "5.26"
EDITION = 1
"""The one that all persons are of."""
README = """\
A store of identity-graph as files for the offline importer of Neo4j {neo4j}. They hold personal data: delete them
when they are imported.

1. Stop the server, or at least its database neo4j: the importer replaces it as a whole.

2. In this folder, as the user that runs the server:

{command}

3. Start the server. The first call makes the constraints and indexes, which takes its time where there is much:

    identity-graph stats --store neo4j://user:password@host:7687/neo4j
{key}"""
KEY = """
4. What was erased is kept out by keyed hashes, which are in the files; their key is not. Put the key of the store that
   was exported where the program looks for it, readable for its user alone (mode 0600), or as hexadecimal digits into
   {variable}:

    ~/.local/share/identity-graph/{id}.key
"""


def write_import_files(
    folder: Path, pieces: Iterable[Piece], find: Callable[[Sequence[str]], Sequence[PersonRow | None]]
) -> dict[str, int]:
    """Everything of the pieces into an empty folder, with a README.txt that says how to import it; answers how many
    nodes of each label and relationships of each type there are. `find` answers persons by id.

    Memory is for one piece and for `link_runs.ROWS` links, whatever there is. Raises OUTPUT_FAILED.
    """
    tables = ImportTables(folder)
    try:
        with tempfile.TemporaryDirectory(dir=folder, prefix="links-") as runs:
            files = _Files(tables, LinkRuns(Path(runs)), find)
            for piece in pieces:
                files.add(piece)
            files.finish()
    finally:
        tables.close()
    options = [*tables.options(), "--overwrite-destination", "neo4j"]
    command = " \\\n      ".join(["    neo4j-admin database import full", *map(shlex.quote, options)])
    key = KEY.format(variable=VARIABLE, id=files.id) if files.key_check else ""
    text = README.format(neo4j=NEO4J, command=command, key=key)
    with open(folder / "README.txt", "w", encoding="utf-8", opener=private) as file:
        file.write(text)
    return tables.counts


class _Files:
    def __init__(
        self,
        tables: ImportTables,
        links: LinkRuns,
        find: Callable[[Sequence[str]], Sequence[PersonRow | None]],
    ) -> None:
        self._tables = tables
        self._links = links
        self._find = find
        self._sources: dict[str, int] = {}
        self._segments: dict[str, int] = {}
        self._computed: str | None = None
        self._standing = Standing()
        self.key_check: bytes | None = None
        self.id = str(uuid4())

    def add(self, piece: Piece) -> None:
        write = self._tables.write
        self.key_check = piece.key_check or self.key_check
        write("Tombstone", [(one.hex(),) for one in piece.tombstones])
        self._persons(piece.persons)
        self._identifiers(piece.identifiers, dict(piece.restricted))
        write(
            "SUPPRESSED", [(a, b, why.code, why.message, why.namespace, why.values) for a, b, why in piece.suppressed]
        )
        write("SIMILAR", piece.similar)
        if piece.events:
            self._events(piece.events)
        self._tables.write_objects("Change", piece.changes)
        write("Quarantined", [(*record_of(one).values(),) for one in piece.quarantined])
        self._tables.write_objects("Run", piece.runs)
        write("Delivery", [(one.destination, one.pack()) for one in piece.deliveries])
        write("DeadLetter", [(one.id, one.pack()) for one in piece.dead_letters])
        asked = piece.erasures
        write("Erasure", [(one.id, one.open or None, one.batch or None, one.line, one.pack()) for one in asked])
        write("SubjectRequest", [(one.id, one.due, one.call_due, one.pack()) for one in piece.subject_requests])
        for one in piece.segments:
            number = self._segments.setdefault(one.name, len(self._segments))
            condition = canonical_json(one.condition)
            write("Segment", [(number, one.name, one.description, condition, one.created, one.evaluated, one.size)])
        for one, ids in piece.members:
            write("MEMBER_OF", [(row.number, self._segments[one.name]) for row in self._find(ids) if row])
        if piece.computed:
            self._computed = canonical_json(piece.computed)
        self._standing = piece.standing or self._standing

    def _persons(self, rows: Sequence[PersonRow]) -> None:
        for label, retired in (("Person", False), ("Retired", True)):
            found = [(row.number, *row[:4]) for row in rows if (row.survivor is not None) is retired]
            self._tables.write(label, found if retired else [(*row, EDITION) for row in found])
        self._tables.write("MERGED_INTO", [(row.number, row.survivor) for row in rows if row.survivor is not None])

    def _identifiers(self, rows: Sequence[IdentifierRow], restricted: Mapping[int, int]) -> None:
        self._tables.write(
            "Identifier",
            [
                (
                    row.number,
                    row.number,
                    row.identifier.key,
                    *row.identifier,
                    row.pruned,
                    restricted.get(row.number),
                    row.identifier.namespace,
                )
                for row in rows
            ],
        )
        self._tables.write(
            "IDENTIFIES", [(row.number, row.person, row.since) for row in rows if row.person is not None]
        )

    def _events(self, stored: EventColumns) -> None:
        numbers, events, named = stored
        seen, stated = numbered(events, named)
        own = by_event(seen, len(events))
        self._tables.write_columns(
            "Event",
            [
                numbers,
                numbers,
                events.ids,
                events.times,
                events.received,
                events.sources,
                events.names,
                events.traits,
                events.properties,
                own,
                [[number for one in stated.get(row, ()) for number in one] for row in range(len(events))],
                list(events.digests()),
                ["Wide" if len(identifiers) > PAIRWISE else None for identifiers in own],
            ],
        )
        self._tables.write_columns("OBSERVED", [numbers[seen >> NUMBER_BITS], seen & LARGEST_NUMBER])
        told = [(a, b, int(numbers[row]), events.times[row], apart) for row, of in stated.items() for a, b, apart in of]
        for name, kept_apart in (("SAME_PERSON", 0), ("NOT_SAME_PERSON", 1)):
            self._tables.write(name, [one[:4] for one in told if one[4] == kept_apart])
        for name in sorted(set(events.sources) - self._sources.keys()):
            self._sources[name] = len(self._sources)
        self._links.add(links_of(events, seen, own, stated, self._sources))

    def finish(self) -> None:
        names = np.array(list(self._sources), dtype=object)
        for links in self._links.merged():
            columns = [links.a, links.b, names[links.source].tolist(), links.count, links.first_seen, links.last_seen]
            self._tables.write_columns("SEEN_WITH", columns)
        standing = self._standing
        check = self.key_check and self.key_check.hex()
        facts = ("identity-graph", self.id, VERSION, True, 0, standing.resolved, standing.policy, *standing[2:])
        self._tables.write("Store", [(*facts, list(self._sources), check, self._computed, EDITION)])
