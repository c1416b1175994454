"""consent: what people said to being used for a purpose."""

from __future__ import annotations

from getpass import getuser
from typing import TYPE_CHECKING, Annotated, Any

import typer

from identity_graph.cli.command import Command, formerly_of, identifier_of, person_of, verb
from identity_graph.cli.show import print_table
from identity_graph.model import ConsentStatus
from identity_graph.times import format_time, parse_time

if TYPE_CHECKING:
    from identity_graph.model import Consent

app = typer.Typer(no_args_is_help=True, help="What people said to being used for a purpose: state, show.")


@app.command()
@verb
def state(
    command: Command,
    key: Annotated[str, typer.Argument(metavar="KEY", help="namespace:value")],
    purpose: Annotated[str, typer.Argument(metavar="PURPOSE", help="One that the policy names.")],
    status: Annotated[str, typer.Argument(metavar="granted|denied|revoked")],
    expires: Annotated[str | None, typer.Option(metavar="TIME", help="From then on it does not count.")] = None,
) -> None:
    """State that whoever has an identifier said yes or no to a purpose; kept as evidence, and heeded at once."""
    if status.upper() not in list(ConsentStatus):
        raise typer.BadParameter(f"{status!r} is none of granted, denied and revoked", param_hint="STATUS")
    said, end = ConsentStatus(status.upper()), None if expires is None else parse_time(expires)
    with command.graph() as graph:
        person = graph.stating.consent(identifier_of(key), purpose, said, end, getuser(), formerly_of(key))
    found = {"key": key, "purpose": purpose, "status": said.value, "personId": person.id if person else None}
    command.answer(found, lambda _: f"{purpose}: {status}" + ("" if person else f", but {key} is nobody's now"))


@app.command()
@verb
def show(
    command: Command,
    key: Annotated[str, typer.Argument(metavar="KEY|PERSON_ID", help="namespace:value or an id.")],
) -> None:
    """Show what stands of what a person said: of each purpose the newest, of equals the stricter."""
    with command.graph() as graph:
        person = person_of(graph.people, key)
        (found,) = graph.people.consents([person.id], graph.clock())
    if command.json:
        command.answer([_view(one) for one in found])
        return
    print_table(["purpose", "status", "source", "time", "expires"], [list(_view(one).values()) for one in found])


def _view(one: Consent) -> dict[str, Any]:
    return {
        "purpose": one.purpose,
        "status": one.status.value,
        "source": one.source,
        "time": format_time(one.time),
        "expiresAt": None if one.expires is None else format_time(one.expires),
    }
