"""copy, export: a store as a whole, into another store or into files."""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from identity_graph.cli.command import Command, verb
from identity_graph.cli.show import progress

if TYPE_CHECKING:
    from identity_graph.store.protocols import Store


@verb
def copy(
    command: Command,
    to: Annotated[str, typer.Option("--to", metavar="URL", help="An empty store, or a part of this copy.")],
    source: Annotated[
        str | None, typer.Option("--from", metavar="URL", help="The store to copy; that of --store when left out.")
    ] = None,
) -> None:
    """Copy a store into an empty one; interrupted, the same command goes on."""
    from identity_graph import copying

    source = source or command.store
    if source == to:
        raise typer.BadParameter("it is the store to copy from", param_hint="--to")
    ours_of, theirs_of = replace(command, store=source), replace(command, store=to)
    with ours_of.graph() as ours, theirs_of.graph(create=True, half=True) as theirs:
        with progress("copy", "rows") as hear:
            copied = copying.copy(ours.store, theirs.store, hear)
        if copied.key is False:
            command.say(_key_words(ours.store, theirs.store))
    result = {"copied": copied.counts, "verified": True, "tombstoneKey": copied.key}
    counts = copied.counts
    command.answer(
        result,
        lambda _: (
            f"{counts['events']:,} events, {counts['identifiers']:,} identifiers and {counts['persons']:,} persons:"
            " the copy is equal to its source."
        ),
    )


def _key_words(ours: Store, theirs: Store) -> str:
    from identity_graph.store.keyring import VARIABLE

    place, other = ours.transfer.key_place(), theirs.transfer.key_place()
    return (
        f"The key of the tombstones is not in the copy. Take it along: copy {place} to {other} (mode 0600), or set"
        f" {VARIABLE}. Without it nothing can be loaded into the copy, lest what was erased comes back."
    )


class Format(StrEnum):
    neo4j_import = "neo4j-import"


@verb
def export(
    command: Command,
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="An empty folder; made when missing.")],
    format: Annotated[Format, typer.Option("--format", "-f", help="What the files are for.")],
) -> None:
    """Write a store as files for the offline importer of Neo4j."""
    from identity_graph import copying
    from identity_graph.store.neo4j.import_files import write_import_files
    from identity_graph.store.neo4j.import_tables import NODES

    with command.graph() as graph, progress(folder.name, "rows") as hear, graph.store.transfer.hold():
        followed = copying.Progress(hear, 0, copying.rows_in(graph.store.operations.counts()))
        pieces = followed.following(copying.pieces(graph.store))
        counts = write_import_files(folder, pieces, graph.store.persons.persons)
    nodes = sum(count for name, count in counts.items() if name in NODES)
    relationships = sum(counts.values()) - nodes
    command.answer(
        {"folder": str(folder), "written": counts},
        lambda _: (
            f"{nodes:,} nodes and {relationships:,} relationships. How to import them is in {folder / 'README.txt'}"
        ),
    )
