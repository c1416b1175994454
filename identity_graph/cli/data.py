"""load and resolve: evidence in, persons out."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from identity_graph.cli.command import Command, verb
from identity_graph.cli.interrupt import told_to_stop
from identity_graph.cli.show import print_table, progress
from identity_graph.cli.views import COUNTS, run_view
from identity_graph.errors import IdentityGraphError, InputError, QuarantineError

if TYPE_CHECKING:
    from identity_graph.loaders import Loader
    from identity_graph.model import Run
    from identity_graph.service import IdentityGraph

NAMED = 10
"""As many files of a folder that were left out are named."""


@verb
def load(
    command: Command,
    files: Annotated[
        list[str],
        typer.Argument(
            metavar="FILE...",
            help="CSV, JSONL or Parquet, each also .gz; folders of them, and patterns; - is standard input.",
        ),
    ],
    loader: Annotated[
        str, typer.Option("--loader", "-l", metavar="NAME|FILE.toml", help="The mapping of the files' source.")
    ],
    time: Annotated[
        str | None, typer.Option(metavar="TIME", help="The time of records that have none; else the file's.")
    ] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Fail when a record had to be set aside.")] = False,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Store what one growing file, or standard input, gets, as it comes.")
    ] = False,
    publish: Annotated[bool, typer.Option("--publish", help="With --follow: publish persons as it comes.")] = False,
) -> None:
    """Load files of events; safe to run twice."""
    from identity_graph.loaders import read_loader
    from identity_graph.records.named import named_files
    from identity_graph.times import NUMBERS_SINCE, parse_time

    mapping = read_loader(loader)
    moment = None if time is None else parse_time(time, numbers_since=NUMBERS_SINCE)
    if follow and len(files) > 1:
        raise typer.BadParameter("--follow takes one file: begin a process for each", param_hint="FILE")
    if publish and not follow:
        raise typer.BadParameter("it goes with --follow; else: identity-graph resolve", param_hint="--publish")
    found: set[str] = set()
    if not follow:
        every = [named_files(name, mapping.form) for name in files]
        files = [file for one in every for file in one.files]
        found = {file for one in every if one.found for file in one.files}
        if others := [file for one in every for file in one.others]:
            more = f" and {len(others) - NAMED:,} more" if len(others) > NAMED else ""
            command.say(f"Not of the form that {loader} reads: {', '.join(others[:NAMED])}{more}")
    runs: list[Run] = []
    failure: IdentityGraphError | None = None
    begun = 0
    with command.graph(create=True) as graph:
        for name in files:
            begun += 1
            try:
                if follow:
                    runs.extend(_follow(command, graph, mapping, name, moment, publish))
                    continue
                with progress(Path(name).name, "records") as hear:
                    runs.append(graph.ingest.load(mapping, name, time=moment, progress=hear))
            except IdentityGraphError as error:
                if error.run:
                    runs.append(error.run)
                if failure:  # the first is shown in the end
                    command.say(f"{error.code}: {error.message}")
                failure = failure or error
                if name not in found or not isinstance(error, InputError):
                    break  # nobody named the others by themselves, and the store is well: they can be loaded
        _sweep(command, graph)
    total = {count: sum(getattr(run, count) for run in runs) for count in COUNTS}
    if runs and command.json:
        command.answer({"runs": [run_view(run) for run in runs], "total": total})
    elif runs:
        _show(runs, total, ["state"] if failure or follow else [])
    if not follow:
        _say_of_files(command, runs)
    if files[begun:]:
        command.say(f"Not begun: {', '.join(files[begun:])}")
    if total["quarantined"]:
        aside = "1 record was" if total["quarantined"] == 1 else f"{total['quarantined']:,} records were"
        command.say(f"{aside} set aside: identity-graph quarantine list")
        if strict and not failure:
            raise QuarantineError("QUARANTINED", f"{aside} set aside")
    if failure:
        raise failure


@verb
def resolve(
    command: Command,
    full: Annotated[bool, typer.Option("--full", help="Recompute everything, not only what was touched.")] = False,
) -> None:
    """Publish persons out of the evidence."""
    with command.graph() as graph:
        run = graph.resolver.resolve(full=full)
        counts = graph.store.operations.counts()
    result = {**run_view(run), "persons": counts["persons"]}
    command.answer(result, lambda _: f"{counts['persons']:,} persons. {run.message}".rstrip())


def _follow(
    command: Command, graph: IdentityGraph, mapping: Loader, name: str, moment: int | None, publish: bool
) -> Iterator[Run]:
    from identity_graph.publishing import Publishing

    publishing = Publishing(graph.resolver) if publish else None
    with told_to_stop() as stop:
        command.say(f"Following {'standard input' if name == '-' else name}. Ctrl-C stops.")
        yield from graph.ingest.follow(mapping, name, time=moment, stop=stop, publishing=publishing, say=command.say)
    if publishing and publishing.failure:  # all is stored, and the last try to publish it failed
        raise publishing.failure


def _say_of_files(command: Command, runs: list[Run]) -> None:
    """What is to be said of runs that ended well, the same of many files once."""
    said: dict[str, list[str]] = {}
    for run in runs:
        if run.message and run.state == "DONE":
            said.setdefault(run.message, []).append(run.file)
    for message, files in said.items():
        others = f" and {len(files) - 1:,} more" if len(files) > 1 else ""
        command.say(f"{files[0]}{others}: {message}")


def _sweep(command: Command, graph: IdentityGraph) -> None:
    days, most = command.settings.quarantine_days, command.settings.quarantine_bytes
    gone = 0 if days is None and most is None else graph.ingest.sweep(days, most)
    if gone:
        command.say(f"{gone:,} that were set aside before are deleted, as the settings say.")


def _show(runs: list[Run], total: dict[str, int], more: list[str]) -> None:
    """The accounting as a table, with `more` columns."""
    print_table(
        ["file", *COUNTS, *more],
        [[Path(run.file).name, *(getattr(run, column) for column in (*COUNTS, *more))] for run in runs],
        total=["", *total.values(), *("" for _ in more)] if len(runs) > 1 else None,
    )
