"""demo, world, stats, digest: a world to try, and the store as a whole."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from identity_graph.cli.command import Command, verb
from identity_graph.cli.show import print_table

SEED = 7
"""Of the demo's world, and of `world` when nothing else is said: so that its files can be looked at."""


@verb
def demo(
    command: Command,
    keep: Annotated[
        str | None,
        typer.Option("--keep", metavar="FILE|URL", help="Only make the demo's world, in a new file or an empty store."),
    ] = None,
    people: Annotated[int, typer.Option(min=10, max=1_000_000, help="How many people live in the world.")] = 200,
) -> None:
    """Run a small world, end to end, in a temporary store."""
    from identity_graph import demo

    if keep is None:
        demo.show(people, SEED)
    else:
        demo.keep(keep if "://" in keep else f"sqlite:///{keep}", people, SEED, say=command.say)


@verb
def world(
    command: Command,
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Where the files go; made when missing.")],
    people: Annotated[int, typer.Option(min=1, max=10_000_000, help="How many people live in it.")] = 200,
    seed: Annotated[int, typer.Option(help="The same seed gives the same bytes.")] = SEED,
) -> None:
    """Write the event files of made-up people, and the truth."""
    from identity_graph.world import World

    truth = World(people, seed).write(folder)
    truth.write(folder / "truth.json")
    words = ", ".join(f"{count:,} {name}" for name, count in truth.records.items())
    command.answer({"folder": str(folder), "records": dict(truth.records)}, lambda _: f"{words} records in {folder}")


@verb
def stats(command: Command) -> None:
    """Count what is in the store."""
    with command.graph() as graph:
        counts = graph.store.operations.counts()
    if command.json:
        command.answer(counts)
    else:
        print_table(["what", "count"], [[name.replace("_", " "), count] for name, count in counts.items()])


@verb
def digest(command: Command) -> None:
    """Print the SHA-256 of evidence, links and memberships."""
    with command.graph() as graph:
        found, events = graph.digest(), graph.events_digest() if command.json else None
    command.answer({"digest": found, "events": events}, lambda _: found)
