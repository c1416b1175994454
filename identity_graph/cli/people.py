"""person, persons, explain: what is published, and why."""

from __future__ import annotations

import sys
from contextlib import nullcontext
from enum import StrEnum
from getpass import getuser
from pathlib import Path
from typing import Annotated

import typer

from identity_graph.cli.command import Command, formerly_of, identifier_of, person_of, verb
from identity_graph.cli.looking import AsOf, AtLeast, ForPurpose, Under, Without, people_of
from identity_graph.cli.show import print_path
from identity_graph.cli.views import explanation_view, person_view
from identity_graph.legible import legible
from identity_graph.secret_file import private

ROWS = 100_000
"""As many are written at a time."""


@verb
def person(
    command: Command,
    key: Annotated[str, typer.Argument(metavar="KEY|PERSON_ID", help="namespace:value or an id.")],
    as_of: AsOf = None,
    without: Without = None,
    at_least: AtLeast = 0.0,
    under: Under = None,
    purpose: ForPurpose = None,
) -> None:
    """Show one person: identifiers, profile, segments; as published, or as it would be."""
    with command.graph() as graph:
        people = people_of(graph, as_of, without, at_least, under, purpose)
        command.answer(person_view(people, person_of(people, key)))


class Format(StrEnum):
    csv = "csv"
    jsonl = "jsonl"
    parquet = "parquet"


@verb
def persons(
    command: Command,
    format: Annotated[Format | None, typer.Option("--format", "-f", help="csv when left out.")] = None,
    output: Annotated[Path | None, typer.Option("--output", "-o", metavar="FILE", help="Not standard output.")] = None,
) -> None:
    """Write every membership: person_id, namespace, value."""
    format = format or (Format.jsonl if command.json else Format.csv)
    if format is Format.parquet and output is None and sys.stdout.isatty():
        raise typer.BadParameter("Parquet is not for a terminal: add --output FILE", param_hint="--format")
    with command.graph() as graph:
        table = graph.people.memberships()
    if format is Format.parquet:
        table.write_parquet(output or sys.stdout.buffer)
    else:
        with open(output, "wb", opener=private) if output else nullcontext(sys.stdout.buffer) as file:
            for start in range(0, max(table.height, 1), ROWS):
                part = table.slice(start, ROWS)
                lines = part.write_ndjson() if format is Format.jsonl else part.write_csv(include_header=not start)
                file.write(lines.encode())
    if output:
        command.say(f"{table.height:,} memberships in {output}")


@verb
def explain(
    command: Command,
    a: Annotated[str, typer.Argument(metavar="KEY")],
    b: Annotated[str, typer.Argument(metavar="KEY")],
    as_of: AsOf = None,
    without: Without = None,
    at_least: AtLeast = 0.0,
    under: Under = None,
    purpose: ForPurpose = None,
) -> None:
    """Say why (or why not) two identifiers are one person, or would be."""
    start = identifier_of(a)
    with command.graph() as graph:
        people = people_of(graph, as_of, without, at_least, under, purpose)
        found = people.explain(start, identifier_of(b))
        evidence = people.evidence([(link.a, link.b) for link in found.path])
    if command.json:
        command.answer(explanation_view(found, evidence))
        return
    typer.echo(legible(found.message))
    if found.path:
        print_path(start, found.path, evidence)
    for reason in found.obstacles:
        typer.echo(legible(f"{reason.code}: {reason.message}"))


A = Annotated[str, typer.Argument(metavar="KEY", help="namespace:value")]
B = Annotated[str, typer.Argument(metavar="KEY", help="namespace:value")]
Reason = Annotated[str, typer.Option("--reason", "-r", help="Why: it is kept with the statement.")]


@verb
def link(command: Command, a: A, b: B, reason: Reason) -> None:
    """State that two identifiers are one person, and publish what follows."""
    with command.graph() as graph:
        found = graph.stating.link(identifier_of(a), identifier_of(b), reason, getuser(), formerly_of(a, b))
    command.answer(explanation_view(found), lambda view: str(view["message"]))


@verb
def unlink(command: Command, a: A, b: B, reason: Reason) -> None:
    """State that two identifiers are not one person, and publish what follows."""
    with command.graph() as graph:
        found = graph.stating.unlink(identifier_of(a), identifier_of(b), reason, getuser(), formerly_of(a, b))
    command.answer(explanation_view(found), lambda view: str(view["message"]))
