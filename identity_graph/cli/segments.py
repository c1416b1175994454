"""segment: saved conditions and who meets them."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from identity_graph.cli.command import Command, verb
from identity_graph.cli.looking import ForPurpose
from identity_graph.cli.show import print_table
from identity_graph.cli.views import segment_view
from identity_graph.errors import InputError, NotFound

app = typer.Typer(no_args_is_help=True, help="Saved conditions: list, save, members, delete.")

NameArgument = Annotated[str, typer.Argument(metavar="NAME")]


@app.command("list")
@verb
def list_(command: Command) -> None:
    """List segments with their sizes."""
    with command.graph() as graph:
        found = graph.segments.all()
    if command.json:
        command.answer([segment_view(segment) for segment in found])
        return
    print_table(["name", "persons", "description"], [[s.name, s.size, s.description] for s in found])


@app.command()
@verb
def save(
    command: Command,
    name: NameArgument,
    condition: Annotated[str, typer.Argument(metavar="FILE.json", help="The condition tree; - is standard input.")],
    description: Annotated[str, typer.Option(help="What it is for.")] = "",
) -> None:
    """Save a condition under a name, and evaluate it."""
    tree = read_tree(condition)
    with command.graph() as graph:
        segment = graph.segments.save(name, description, tree)
    command.answer(segment_view(segment), lambda _: f"{segment.size:,} persons in {segment.name}")


@app.command()
@verb
def members(
    command: Command,
    name: NameArgument,
    limit: Annotated[int | None, typer.Option(min=1, help="How many at most; all when left out.")] = None,
    purpose: ForPurpose = None,
) -> None:
    """Write the person ids of a segment, one a line."""
    ids: list[str] = []
    with command.graph() as graph:
        if graph.segments.get([name])[0] is None:
            raise _unknown(name)
        read: Callable[[str, int], list[str]] = partial(graph.segments.members, name)
        if purpose is not None:
            from identity_graph.roster import Roster

            read = Roster(graph.store, graph.people, name, allowed=graph.allowed(purpose)).allowed
        while limit is None or len(ids) < limit:
            size = 1000 if limit is None else min(1000, limit - len(ids))
            page = read(ids[-1] if ids else "", size)
            ids += page
            if len(page) < size:
                break
    command.answer(ids, lambda result: "\n".join(result))


@app.command()
@verb
def delete(command: Command, name: NameArgument) -> None:
    """Delete a segment; the persons stay."""
    with command.graph() as graph:
        if not graph.segments.delete(name):
            raise _unknown(name)
    command.answer({"deleted": name}, lambda _: f"{name} is deleted")


def read_tree(file: str) -> Any:
    """The JSON of a file; - is standard input."""
    import orjson

    try:
        text = sys.stdin.read() if file == "-" else Path(file).read_text(encoding="utf-8")
        return orjson.loads(text)
    except (OSError, UnicodeDecodeError) as error:
        raise InputError("SOURCE_MISSING", f"{file}: {error}") from error
    except orjson.JSONDecodeError as error:
        raise InputError("CONDITION_INVALID", f"{file}: {error}", help="Write the condition as JSON.") from error


def _unknown(name: str) -> NotFound:
    return NotFound("SEGMENT_UNKNOWN", f"no segment is called {name}", help="identity-graph segment list")
