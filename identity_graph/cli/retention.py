"""retention: evidence that the policy keeps no longer."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from identity_graph.cli.command import Command, verb
from identity_graph.cli.show import print_table
from identity_graph.errors import PolicyError

app = typer.Typer(no_args_is_help=True, help="Evidence that the policy keeps no longer: sweep.")


@app.command()
@verb
def sweep(
    command: Command,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show how many events would go.")] = False,
) -> None:
    """Delete events that are past their time, and resolve what remains; serve does it by itself."""
    with command.graph() as graph:
        if not graph.retention.limited:
            raise PolicyError(
                "POLICY_VALUE",
                "the policy keeps everything for ever",
                help="Say in it what is kept how long, as policy show has it: [[retention]].",
            )
        if dry_run:
            command.note("", "previewed")
            due = graph.retention.due()
            found = [{"source": source, "name": name, "events": due[source, name]} for source, name in sorted(due)]
            if command.json:
                command.answer(found)
            else:
                print_table(["source", "name", "events"], [list(one.values()) for one in found])
            return
        swept = graph.retention.sweep()
    if not swept.scrubbed:
        command.say("Deleted bytes are left in the store's files. To remove them, or see why not: identity-graph scrub")
    done: dict[str, Any] = {"events": swept.events, "identifiers": swept.identifiers, "persons": swept.persons}
    words = (
        f"{swept.events:,} events deleted, {swept.identifiers:,} identifiers and {swept.persons:,} persons with them"
    )
    command.answer(done | {"scrubbed": swept.scrubbed}, lambda _: words)
