"""The files that Neo4j's offline importer reads: for each label and type a header and its rows, as CSV."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import IO, Any

import polars as pl

from identity_graph.errors import InputError
from identity_graph.secret_file import private, private_folder

# Between the elements of a list: U+001F, made for that. Identifiers and texts of events hold no control characters.
SEPARATOR = "\x1f"

NODES: Mapping[str, str] = MappingProxyType(
    {
        "Store": "name id version:long unindexed:boolean commits:long resolved:long policy event:long"
        " identifier:long person:long change:long quarantined:long sources:string[] key_check computed edition:long",
        "Tombstone": "hash",
        "Person": ":ID(Person) number:long id created:long updated:long edition:long",
        "Retired": ":ID(Person) number:long id created:long updated:long",
        "Identifier": ":ID(Identifier) number:long key namespace value pruned restricted:long :LABEL",
        "Event": ":ID(Event) number:long id time:long received:long source name traits properties identifiers:long[]"
        " stated:long[] content :LABEL",
        "Change": "number:long time:long kind person_id from_ids:string[] to_ids:string[] cause message policy segment",
        "Run": "id kind state started:long source ended:long read:long accepted:long duplicate:long quarantined:long"
        " suppressed:long message position:long offset:long default_time:long loader file fingerprint trail policy"
        " normaliser:long first_error last_error size:long",
        "Quarantined": "number:long run_id line:long offset:long code message record:byte[] time:long size:long"
        " mark:long",
        "Segment": ":ID(Segment) name description condition created:long evaluated:long size:long",
        "Delivery": "destination state",
        "DeadLetter": "id parcel",
        "Erasure": "id open:boolean batch line:long request",
        "SubjectRequest": "id due:long call_due:long request",
    }
)
RELATIONSHIPS: Mapping[str, str] = MappingProxyType(
    {
        "OBSERVED": ":START_ID(Event) :END_ID(Identifier)",
        "SEEN_WITH": ":START_ID(Identifier) :END_ID(Identifier) source count:long first_seen:long last_seen:long",
        "SAME_PERSON": ":START_ID(Identifier) :END_ID(Identifier) event:long time:long",
        "NOT_SAME_PERSON": ":START_ID(Identifier) :END_ID(Identifier) event:long time:long",
        "IDENTIFIES": ":START_ID(Identifier) :END_ID(Person) since:long",
        "SUPPRESSED": ":START_ID(Identifier) :END_ID(Identifier) code message namespace values:string[]",
        "SIMILAR": ":START_ID(Identifier) :END_ID(Identifier) weight:double last_seen:long shared:long[]",
        "MERGED_INTO": ":START_ID(Person) :END_ID(Person)",
        "MEMBER_OF": ":START_ID(Person) :END_ID(Segment)",
    }
)


class ImportTables:
    """Files in a folder that is empty, or is made. Raises OUTPUT_FAILED where it is not empty."""

    def __init__(self, folder: Path) -> None:
        private_folder(folder)  # for no other eyes: people are in it
        if any(folder.iterdir()):
            raise InputError("OUTPUT_FAILED", f"{folder} is not empty", help="Name a folder that is empty or new.")
        self._folder = folder
        self._files: dict[str, IO[bytes]] = {}
        self._broken: set[str] = set()
        self.counts: dict[str, int] = {}

    def write(self, table: str, rows: Sequence[Sequence[Any]]) -> None:
        """Rows of cells as the header has them. None and an empty list are absent; an empty text is a text."""
        if rows:
            self.write_columns(table, list(zip(*rows, strict=True)))

    def write_objects(self, table: str, objects: Sequence[object]) -> None:
        """As `write`, of objects that have attributes of the columns' names."""
        names = [column.partition(":")[0] for column in NODES[table].split(" ")]
        self.write(table, [[getattr(one, name) for name in names] for one in objects])

    def write_columns(self, table: str, columns: Sequence[Any]) -> None:
        """As `write`, column by column: sequences, or arrays of numbers."""
        header = (NODES.get(table) or RELATIONSHIPS[table]).split(" ")
        cells = [_cells(name, column) for name, column in zip(header, columns, strict=True)]
        frame = pl.DataFrame(dict(zip(header, cells, strict=True)))
        if not frame.height:
            return
        if table not in self._files:
            with open(self._folder / f"{_stem(table)}-header.csv", "w", encoding="utf-8", opener=private) as file:
                file.write(",".join(header) + "\n")
            place = self._folder / f"{_stem(table)}.csv"
            self._files[table] = open(place, "wb", opener=private)  # noqa: SIM115
        frame.write_csv(self._files[table], include_header=False, quote_style="non_numeric")
        self.counts[table] = self.counts.get(table, 0) + frame.height
        if table not in self._broken and any(
            cell.dtype == pl.String and cell.str.contains("[\r\n]").any() for cell in cells
        ):
            self._broken.add(table)

    def close(self) -> None:
        for file in self._files.values():
            file.close()

    def options(self) -> list[str]:
        """Of the importer, for the files that were written, with paths from their folder."""
        options = []
        for option, tables in (("nodes", NODES), ("relationships", RELATIONSHIPS)):
            written = [table for table in tables if table in self.counts]
            options += [f"--{option}={table}={_stem(table)}-header.csv,{_stem(table)}.csv" for table in written]
        if self._broken:
            multiline = ",".join(sorted(f"{_stem(table)}.csv" for table in self._broken))
            options += ["--multiline-fields-format=v2", f"--multiline-fields={multiline}"]
        # Not before these: what follows them without an option's name is taken for one more file.
        return [*options, "--id-type=integer", "--array-delimiter=U+001F", "--bad-tolerance=0"]


def _stem(table: str) -> str:
    return table.lower()


def _cells(name: str, column: Any) -> pl.Series:
    """With lists as texts: the importer takes them apart."""
    if name.endswith("byte[]"):
        column = [_joined(memoryview(cell).cast("b").tolist()) for cell in column]
    elif name.endswith("[]"):
        column = [_joined(cell) for cell in column]
    kind = name.partition(":")[2]
    if kind == "long" or "ID(" in kind:
        return pl.Series(name, column, dtype=pl.Int64)
    return pl.Series(name, column, dtype={"boolean": pl.Boolean, "double": pl.Float64}.get(kind, pl.String))


def _joined(cells: Sequence[Any] | None) -> str | None:
    if not cells:
        return None
    texts = [str(cell) for cell in cells]
    if any(SEPARATOR in text for text in texts):
        raise InputError("OUTPUT_FAILED", "a text in a list holds U+001F, by which the importer parts them")
    return SEPARATOR.join(texts)
