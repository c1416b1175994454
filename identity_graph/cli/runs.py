"""runs: what was loaded and resolved, and what came of it."""

from __future__ import annotations

from typing import Annotated

import typer

from identity_graph.cli.command import Command, verb
from identity_graph.cli.show import print_table
from identity_graph.cli.views import COUNTS, run_view
from identity_graph.errors import NotFound
from identity_graph.times import format_time

app = typer.Typer(no_args_is_help=True, help="What was loaded and resolved: list, show.")


@app.command("list")
@verb
def list_(
    command: Command,
    limit: Annotated[int, typer.Option(min=1, help="How many at most.")] = 20,
    before: Annotated[str, typer.Option(metavar="RUN", help="Only those begun before this one.")] = "",
) -> None:
    """List runs, newest first."""
    with command.graph() as graph:
        runs = graph.store.operations.runs(before=before, limit=limit)
    if command.json:
        command.answer([run_view(run) for run in runs])
        return
    print_table(
        ["id", "started", "kind", "source", "file", "state", *COUNTS, "a second"],
        [
            [run.id, format_time(run.started)[:19], run.kind, run.source, run.file, run.state.value]
            + [getattr(run, name) for name in COUNTS]
            + [None if run.rate is None else round(run.rate)]
            for run in runs
        ],
    )


@app.command()
@verb
def show(command: Command, run: Annotated[str, typer.Argument(metavar="RUN", help="As listed.")]) -> None:
    """Show one run with its file, errors and rules."""
    with command.graph() as graph:
        (found,) = graph.store.operations.find_runs([run])
    if found is None:
        raise NotFound("RUN_UNKNOWN", f"no run {run}")
    command.answer(run_view(found))
