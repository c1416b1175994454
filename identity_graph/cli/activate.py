"""activate: segments delivered to files and webhooks."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from identity_graph.audience import Platform
from identity_graph.cli.command import Command, verb
from identity_graph.cli.looking import ForPurpose
from identity_graph.cli.show import print_table
from identity_graph.errors import DeliveryError
from identity_graph.times import format_time

if TYPE_CHECKING:
    from identity_graph.delivery import Activated, Parcel

app = typer.Typer(no_args_is_help=True, help="Segments out: to a file, and to the destinations that a file names.")


@app.command()
@verb
def file(
    command: Command,
    segment: Annotated[str, typer.Argument(metavar="SEGMENT")],
    file: Annotated[Path, typer.Argument(metavar="FILE", help="By its ending .csv, .jsonl or .parquet.")],
    identifiers: Annotated[
        list[str] | None, typer.Option("--identifiers", "-i", metavar="NAMESPACE", help="A column of them; repeatable.")
    ] = None,
    traits: Annotated[
        list[str] | None, typer.Option("--trait", "-t", metavar="NAME", help="A column of it; repeatable.")
    ] = None,
    audience: Annotated[
        Platform | None, typer.Option(help="Hashed addresses and numbers instead, as this ad platform takes them.")
    ] = None,
    purpose: ForPurpose = None,
) -> None:
    """Write the members of a segment to a file, whole or not at all."""
    from identity_graph.destinations import Destination, check_file

    check_file("FILE", file, audience)
    if audience and (identifiers or traits):
        raise typer.BadParameter("an audience has e-mail addresses and telephone numbers, nothing else")
    named, stated = tuple(identifiers or ()), tuple(traits or ())
    with command.graph() as graph:
        whole = Destination("FILE", segment, file, audience, identifiers=named, traits=stated, purpose=purpose or "")
        count = graph.activation.write(whole)
    command.answer({"file": str(file), "persons": count}, lambda _: f"{count:,} persons in {file}")


@app.command("list")
@verb
def list_(command: Command) -> None:
    """List destinations and how far they were told."""
    with command.graph() as graph:
        known = graph.activation.deliveries()
        found = [(one, known.get(one.name)) for one in graph.activation.destinations.values()]
    if command.json:
        command.answer(
            [
                {
                    "name": one.name,
                    "segment": one.segment,
                    "place": one.place,
                    "messages": told.parcels if told else 0,
                    "latest": format_time(told.latest) if told and told.latest else None,
                    "trouble": told.pending.trouble if told and told.pending else "",
                }
                for one, told in found
            ]
        )
        return
    print_table(
        ["name", "segment", "place", "messages", "trouble"],
        [
            [
                one.name,
                one.segment,
                one.place,
                told.parcels if told else 0,
                told.pending.trouble if told and told.pending else "",
            ]
            for one, told in found
        ],
    )


@app.command()
@verb
def run(
    command: Command,
    names: Annotated[list[str] | None, typer.Argument(metavar="NAME...", help="All when left out.")] = None,
) -> None:
    """Deliver to destinations what they were not told yet; waits where one must be tried again."""
    with command.graph() as graph:
        chosen = [graph.activation.destination(name).name for name in names or graph.activation.destinations]
        outcomes = [graph.activation.run(name, patient=True) for name in chosen]
    _answer(command, outcomes)


@app.command()
@verb
def failed(command: Command) -> None:
    """List messages that did not arrive: dead letters."""
    letters: list[Parcel] = []
    with command.graph() as graph:
        while page := graph.activation.dead_letters(letters[-1].id if letters else ""):
            letters += page
    if command.json:
        command.answer([_letter(one) for one in letters])
        return
    print_table(
        ["id", "destination", "made", "attempts", "trouble"],
        [[one.id, one.destination, format_time(one.made), one.attempts, one.trouble] for one in letters],
    )


@app.command()
@verb
def retry(
    command: Command,
    ids: Annotated[list[str] | None, typer.Argument(metavar="ID...", help="All when left out.")] = None,
) -> None:
    """Send dead letters once more, each under its id."""
    with command.graph() as graph:
        outcome = graph.activation.send_again(ids or None)
    _answer(command, [outcome])


def _answer(command: Command, outcomes: list[Activated]) -> None:
    """Raises DELIVERY_FAILED, after what was done is said."""
    views = [_view(one) for one in outcomes]
    if command.json:
        command.answer(views)
    else:
        print_table(["destination", "delivered", "dead letters"], [[*view.values()][:3] for view in views])
    troubled = [one for one in outcomes if one.trouble]
    if troubled:
        first = troubled[0]
        raise DeliveryError("DELIVERY_FAILED", f"{first.destination or 'dead letters'}: {first.trouble}")


def _view(outcome: Activated) -> dict[str, Any]:
    return {
        "destination": outcome.destination,
        "delivered": outcome.delivered,
        "deadLetters": outcome.set_aside,
        "trouble": outcome.trouble,
    }


def _letter(parcel: Parcel) -> dict[str, Any]:
    return {
        "id": parcel.id,
        "destination": parcel.destination,
        "segment": parcel.segment,
        "madeAt": format_time(parcel.made),
        "attempts": parcel.attempts,
        "trouble": parcel.trouble,
    }
