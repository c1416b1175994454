"""key: API keys for those who ask the server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from identity_graph.cli.command import Command, verb
from identity_graph.cli.show import print_table
from identity_graph.errors import AccessError
from identity_graph.times import format_time, now, parse_duration

if TYPE_CHECKING:
    from identity_graph.access.keys import ApiKey, KeysFile

app = typer.Typer(no_args_is_help=True, help="API keys for who asks the server: create, list, revoke, rotate.")

IdArgument = Annotated[str, typer.Argument(metavar="ID", help="As listed.")]


@app.command()
@verb
def create(
    command: Command,
    role: Annotated[str, typer.Option("--role", help="What it may do; see the README.")],
    name: Annotated[str, typer.Option(help="Whose it is, or what for.")] = "",
    expires: Annotated[str | None, typer.Option(metavar="DURATION", help="Until when from now, say `90 days`.")] = None,
    limit: Annotated[
        str | None, typer.Option(metavar="RATE", help="How often it may ask the server, say `600 per minute`.")
    ] = None,
    scopes: Annotated[
        list[str] | None,
        typer.Option(
            "--scope",
            metavar="SCOPE",
            help="What alone it is for, as `Query.person`, `POST /v1/track` or `load`; may be repeated. Left out: all"
            " that its role may.",
        ),
    ] = None,
) -> None:
    """Make a key. It is printed this once, and nowhere kept."""
    from identity_graph.access import Role
    from identity_graph.access.limits import Rate

    try:
        rate = None if limit is None else Rate.parse(limit)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--limit") from error
    may = Role.named(role)
    end = None if expires is None else now() + _duration(expires, "--expires")
    _give(command, *_file(command).create(may, name, end, rate, scopes or ()))


@app.command("list")
@verb
def list_(command: Command) -> None:
    """List keys, oldest first, without what is secret of them."""
    found = [_view(key) for key in _file(command).all()]
    if command.json:
        command.answer(found)
        return
    rows = [[*(view | {"scopes": ", ".join(view["scopes"])}).values()] for view in found]
    print_table(["id", "role", "name", "state", "created", "expires", "limit", "scopes"], rows)


@app.command()
@verb
def revoke(command: Command, id: IdArgument) -> None:
    """End a key, within a second also on a server that runs."""
    key = _file(command).revoke(id)
    command.note(f"key {key.id}")
    command.answer(_view(key), lambda view: f"{view['id']} is {view['state']}")


@app.command()
@verb
def rotate(
    command: Command,
    id: IdArgument,
    overlap: Annotated[str, typer.Option(metavar="DURATION", help="For how long the old one is still taken.")],
) -> None:
    """Make a key of the same role, and end the old one after a while."""
    _give(command, *_file(command).rotate(id, _duration(overlap, "--overlap")))


def _file(command: Command) -> KeysFile:
    door = command.door()
    if door is None or door.keys is None:
        raise AccessError("KEYS_MISSING", "there is no file of keys", help="Name one by IDENTITY_GRAPH_KEYS.")
    return door.keys


def _give(command: Command, key: ApiKey, text: str) -> None:
    command.note(f"key {key.id}")
    command.say(f"A key for {key.role}, printed this once:")
    command.answer(_view(key) | {"key": text}, lambda _: text)


def _duration(text: str, option: str) -> int:
    try:
        found = parse_duration(text)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint=option) from error
    if found < 0:
        raise typer.BadParameter("it is before now", param_hint=option)
    return found


def _view(key: ApiKey) -> dict[str, Any]:

    return {
        "id": key.id,
        "role": str(key.role),
        "name": key.name,
        "state": key.state(now()),
        "created": format_time(key.created),
        "expires": None if key.expires is None else format_time(key.expires),
        "limit": key.limit or None,
        "scopes": list(key.scopes),
    }
