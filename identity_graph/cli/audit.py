"""audit: what only the privileged may do, as it was done."""

from __future__ import annotations

from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from identity_graph.cli.command import Command, content_of, verb
from identity_graph.cli.show import print_table
from identity_graph.errors import SettingError

if TYPE_CHECKING:
    from identity_graph.audit import AuditLog

app = typer.Typer(no_args_is_help=True, help="The log of what only the privileged may do: verify, list, head.")

COLUMNS = ["number", "time", "actor", "role", "action", "target", "outcome", "of"]


@app.command()
@verb
def verify(
    command: Command,
    key: Annotated[
        Path | None,
        typer.Option(metavar="PUBLIC", help="The public key of who signs, as PEM; else that of this machine."),
    ] = None,
    head: Annotated[Path | None, typer.Option(metavar="FILE", help="A head that was kept elsewhere.")] = None,
) -> None:
    """Check that every entry is as it was written and none is missing, and say where not."""
    from identity_graph.audit import verify_log
    from identity_graph.signing import Signer

    public = content_of(key) if key else Signer(command.settings.signing_key).public()
    count = verify_log(_log(command).path, public, content_of(head) if head else None)
    command.answer({"entries": count}, lambda found: f"Valid: {found['entries']:,} entries")


@app.command("list")
@verb
def list_(
    command: Command,
    last: Annotated[int, typer.Option(min=1, help="How many, the latest ones.")] = 20,
    action: Annotated[str | None, typer.Option(help="Only of this action, as it is listed.")] = None,
) -> None:
    """List entries, oldest first."""
    from identity_graph.audit import entries

    found = deque((one for one in entries(_log(command).path) if action in (None, one.get("action"))), maxlen=last)
    if command.json:
        command.answer(list(found))
        return
    print_table(COLUMNS, [["" if one.get(name) is None else one[name] for name in COLUMNS] for one in found])


@app.command()
@verb
def head(command: Command) -> None:
    """Print the signed last entry, to be kept elsewhere: `verify --head` then finds also an older log in its place."""
    typer.echo(content_of(_log(command).head), nl=False)


def _log(command: Command) -> AuditLog:
    log = command.audit()
    if log is None:
        raise SettingError("AUDIT_FILE", "no log is kept", help="Name one by IDENTITY_GRAPH_AUDIT.")
    return log
