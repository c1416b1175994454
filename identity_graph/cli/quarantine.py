"""quarantine: records that were set aside, with their bytes and the reason."""

from __future__ import annotations

from collections.abc import Callable
from difflib import get_close_matches
from typing import Annotated

import typer

from identity_graph.cli.command import Command, verb
from identity_graph.cli.show import print_table
from identity_graph.cli.views import quarantined_view, run_view
from identity_graph.errors import SET_ASIDE, NotFound

app = typer.Typer(no_args_is_help=True, help="Records that were set aside: list, show, replay, sweep.")

CodeOption = Annotated[str | None, typer.Option("--code", metavar="CODE", help="Only of this reason.")]


def _check_code(code: str | None, known: Callable[[str], object]) -> None:
    """Refuses one by which nothing can be set aside. `known` finds what an earlier version set aside by it."""
    if code is None or code in SET_ASIDE or known(code):
        return
    near = get_close_matches(code.upper(), SET_ASIDE, n=3) or sorted(SET_ASIDE)
    raise typer.BadParameter(f"nothing is set aside by {code!r}, but by {', '.join(near)}", param_hint="--code")


@app.command("list")
@verb
def list_(
    command: Command,
    code: CodeOption = None,
    limit: Annotated[int, typer.Option(min=1, help="How many at most.")] = 100,
    after: Annotated[int, typer.Option(min=0, help="Only numbers after this one.")] = 0,
) -> None:
    """List records by number."""
    with command.graph() as graph:
        records = graph.store.operations.quarantined(after=after, limit=limit, code=code)
        _check_code(code, lambda code: graph.store.operations.quarantined(limit=1, code=code))
    if command.json:
        command.answer([quarantined_view(record) for record in records])
        return
    print_table(
        ["number", "source", "line", "code", "message"],
        [[record.number, record.source, record.line, record.code, record.message] for record in records],
    )
    for code, help in sorted({record.code: record.help for record in records}.items()):
        command.say(f"{code}: {help}")


@app.command()
@verb
def show(command: Command, number: Annotated[int, typer.Argument(help="As listed.")]) -> None:
    """Show one record with its content."""
    with command.graph() as graph:
        found = graph.store.operations.quarantined(after=number - 1, limit=1)
    if not found or found[0].number != number:
        raise NotFound("QUARANTINE_UNKNOWN", f"no record {number} in quarantine")
    command.answer(quarantined_view(found[0]))


@app.command()
@verb
def replay(
    command: Command,
    numbers: Annotated[list[int] | None, typer.Argument(help="As listed; all when left out.")] = None,
    code: CodeOption = None,
) -> None:
    """Load records again, after the loader, the rules or the sender was mended."""
    with command.graph() as graph:
        _check_code(code, lambda code: graph.store.operations.quarantined(limit=1, code=code))
        run = graph.ingest.replay(numbers or None, code)
    words = f"{run.read:,} read: {run.accepted:,} accepted, {run.duplicate:,} duplicate"
    words += f", {run.quarantined:,} still set aside, {run.suppressed:,} suppressed"
    if run.message:
        command.say(run.message)
    command.answer(run_view(run), lambda _: words)


@app.command()
@verb
def sweep(
    command: Command,
    days: Annotated[
        int | None, typer.Option(min=1, help="Delete older ones; else IDENTITY_GRAPH_QUARANTINE_DAYS.")
    ] = None,
    bytes: Annotated[
        int | None, typer.Option(min=0, help="Keep so many, the newest; else IDENTITY_GRAPH_QUARANTINE_BYTES.")
    ] = None,
) -> None:
    """Delete records that are too old, or too many; load and serve do it by themselves where the settings say so."""
    days = command.settings.quarantine_days if days is None else days
    bytes = command.settings.quarantine_bytes if bytes is None else bytes
    if days is None and bytes is None:
        raise typer.BadParameter("nothing says how long or how much is kept", param_hint="--days, --bytes")
    with command.graph() as graph:
        gone = graph.ingest.sweep(days, bytes)
    command.answer({"deleted": gone}, lambda _: f"{gone:,} {'record' if gone == 1 else 'records'} deleted")
