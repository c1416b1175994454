"""load and resolve: evidence in, persons out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from identity_graph.cli.command import Command, verb
from identity_graph.cli.show import print_table, progress
from identity_graph.cli.views import COUNTS, run_view
from identity_graph.errors import IdentityGraphError, InputError, QuarantineError

if TYPE_CHECKING:
    from identity_graph.model import Run


@verb
def load(
    command: Command,
    files: Annotated[
        list[str], typer.Argument(metavar="FILE...", help="CSV, JSONL or Parquet, each also .gz; - is standard input.")
    ],
    loader: Annotated[
        str, typer.Option("--loader", "-l", metavar="NAME|FILE.toml", help="The mapping of the files' source.")
    ],
    time: Annotated[
        str | None, typer.Option(metavar="TIME", help="The time of records that have none; else the file's.")
    ] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Fail when a record had to be set aside.")] = False,
) -> None:
    """Load files of events; safe to run twice."""
    from identity_graph.loaders import read_loader
    from identity_graph.times import parse_time

    mapping = read_loader(loader)
    moment = None if time is None else parse_time(time)
    missing = next((name for name in files if name != "-" and not Path(name).exists()), None)
    if missing:
        raise InputError("SOURCE_MISSING", f"{missing}: no such file", help="Nothing was loaded; correct the name.")
    runs: list[Run] = []
    failure: IdentityGraphError | None = None
    with command.graph(create=True) as graph:
        for name in files:
            try:
                with progress(Path(name).name, "records") as hear:
                    runs.append(graph.ingest.load(mapping, name, time=moment, progress=hear))
            except IdentityGraphError as error:
                failure = error
                break
    begun = len(runs) + bool(failure)
    if failure and failure.run:
        runs.append(failure.run)
    total = {count: sum(getattr(run, count) for run in runs) for count in COUNTS}
    if runs and command.json:
        command.answer({"runs": [run_view(run) for run in runs], "total": total})
    elif runs:
        _show(files, runs, total, ["state"] if failure else [])
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


def _show(files: list[str], runs: list[Run], total: dict[str, int], more: list[str]) -> None:
    """The accounting as a table, with `more` columns."""
    print_table(
        ["file", *COUNTS, *more],
        [
            [Path(name).name, *(getattr(run, column) for column in (*COUNTS, *more))]
            for name, run in zip(files, runs, strict=False)
        ],
        total=["", *total.values(), *("" for _ in more)] if len(runs) > 1 else None,
    )
