"""computed: traits computed from events."""

from __future__ import annotations

from typing import Annotated

import typer

from identity_graph.cli.command import Command, verb
from identity_graph.cli.segments import NameArgument, read_tree
from identity_graph.cli.show import print_table
from identity_graph.errors import InputError

app = typer.Typer(no_args_is_help=True, help="Traits computed from events: list, save, delete.")


@app.command("list")
@verb
def list_(command: Command) -> None:
    """List computed traits and what they measure."""
    import orjson

    with command.graph() as graph:
        found = graph.computed.all()
    if command.json:
        command.answer([{"name": name, "definition": definition} for name, definition in found.items()])
        return
    print_table(["name", "definition"], [[name, orjson.dumps(given).decode()] for name, given in found.items()])


@app.command()
@verb
def save(
    command: Command,
    name: NameArgument,
    definition: Annotated[str, typer.Argument(metavar="FILE.json", help="What it measures; - is standard input.")],
) -> None:
    """Declare a computed trait, and evaluate the segments that ask for it."""
    tree = read_tree(definition)
    with command.graph() as graph:
        kept = graph.computed.save(name, tree)
    command.answer({"name": name, "definition": kept}, lambda _: f"{name} is computed")


@app.command()
@verb
def delete(command: Command, name: NameArgument) -> None:
    """Delete a computed trait that no segment asks for."""
    with command.graph() as graph:
        if not graph.computed.delete(name):
            message = f"no computed trait is called {name!r}"
            raise InputError("CONDITION_INVALID", message, help="identity-graph computed list")
    command.answer({"deleted": name}, lambda _: f"{name} is deleted")
