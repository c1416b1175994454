"""disclose: all that is held of a person, for that person."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from identity_graph.cli.command import Command, Scope, ScopeOption, asked_of, verb
from identity_graph.errors import NotFound
from identity_graph.secret_file import private

if TYPE_CHECKING:
    from pydantic import BaseModel


class Format(StrEnum):
    json = "json"
    csv = "csv"


@verb
def disclose(
    command: Command,
    key: Annotated[str | None, typer.Argument(metavar="KEY|PERSON_ID", help="namespace:value or an id.")] = None,
    scope: ScopeOption = Scope.connected,
    format: Annotated[
        Format, typer.Option("--format", "-f", help="csv: a table each of identifiers, traits, events and records.")
    ] = Format.json,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="A new file, or for csv a new folder.", show_default=False)
    ] = None,
    schema: Annotated[bool, typer.Option("--schema", help="Only print the JSON Schema of what comes out.")] = False,
) -> None:
    """Write all that is held of a person, for that person: what `forget` would take, and what it would weaken."""
    from identity_graph.disclosure import Disclosure

    if schema:
        command.answer(Disclosure.model_json_schema(mode="serialization"))
        return
    if key is None:
        raise typer.BadParameter("nobody is named", param_hint="KEY|PERSON_ID")
    if format is Format.csv and output is None:
        raise typer.BadParameter("several tables need a folder: add --output FOLDER", param_hint="--format")
    with command.graph() as graph:
        asked, person = asked_of(graph, key)
        found = graph.disclosures.of(person.id, asked, scope.meant)
    if found is None:
        raise NotFound("PERSON_UNKNOWN", f"nobody is known by {key}")
    document = found.model_dump(by_alias=True)
    if output is None:
        command.answer(document)
        return
    if format is Format.csv:
        output.mkdir(mode=0o700)
        for name, content in _tables(document):
            _write(output / f"{name}.csv", content)
    else:
        import orjson

        _write(output, orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
    command.say(f"{len(found.events):,} events and {len(found.identifiers):,} identifiers in {output}")


def _write(path: Path, content: bytes) -> None:
    """For its owner alone, and never over another file."""
    with open(path, "xb", opener=private) as file:
        file.write(content)


def _tables(document: dict[str, Any]) -> Iterator[tuple[str, bytes]]:
    from identity_graph.disclosure import (
        DisclosedConsent,
        DisclosedEvent,
        DisclosedIdentifier,
        DisclosedRecord,
        DisclosedTrait,
    )
    from identity_graph.spreadsheet import table

    kinds: dict[str, type[BaseModel]] = {
        "identifiers": DisclosedIdentifier,
        "traits": DisclosedTrait,
        "consents": DisclosedConsent,
        "events": DisclosedEvent,
        "quarantined": DisclosedRecord,
    }
    for name, kind in kinds.items():
        yield name, table([field.alias or key for key, field in kind.model_fields.items()], document[name])
    yield "segments", table(["name"], ({"name": one} for one in document["segments"]))
