"""forget batch: erase whom a file names."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from identity_graph.cli.command import Command, Scope, ScopeOption, Shared, SharedOption, interactive, verb


@verb
def batch(
    command: Command,
    file: Annotated[
        Path,
        typer.Argument(metavar="FILE", help="namespace:value a line; or .csv or .jsonl with namespace and value."),
    ],
    scope: ScopeOption = Scope.connected,
    shared: SharedOption = Shared.detach,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    results: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="A new file of JSON Lines: of each line the state, code and receipt."),
    ] = None,
) -> None:
    """Erase whom a file names, without previews; the same file again goes on where it was, or tells what was done."""
    import orjson

    if not yes:
        if not interactive():
            raise typer.BadParameter("nobody is there to be asked: add --yes", param_hint="--yes")
        typer.confirm("Erase everybody whom it names for ever?", abort=True, err=True)
    if results:
        results.touch(mode=0o600, exist_ok=False)  # before anything is erased
    with command.graph() as graph:
        done = graph.forget_batch.run(file, scope.meant, shared=shared.meant)
        command.note(f"batch {done.batch}")
        if results:
            with results.open("wb") as out:
                for one in graph.forget_batch.results(done.batch):
                    row = {"line": one.line, "state": one.state, "code": one.code or None}
                    row["receipt"] = one.document or None
                    out.write(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE))
    command.answer(
        {"batch": done.batch, "lines": done.lines, "erased": done.erased, "refused": done.lines - done.erased},
        lambda one: f"{one['lines']:,} lines: {one['erased']:,} erased, {one['refused']:,} refused",
    )
