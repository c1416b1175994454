"""loader: the mappings that ship, the check of a file of one's own, and a proposal for an unknown file."""

from __future__ import annotations

from collections import Counter
from time import time_ns
from typing import TYPE_CHECKING, Annotated, Any

import typer

from identity_graph.cli.command import Command, verb
from identity_graph.cli.show import print_table
from identity_graph.legible import legible

if TYPE_CHECKING:
    from identity_graph.loaders import Loader

app = typer.Typer(no_args_is_help=True, help="The mappings of sources: list, check, guess.")

FIRST = 3  # events that are shown
LINES = 5  # of the records that would be set aside for one reason


@app.command("list")
@verb
def list_(command: Command) -> None:
    """List the loaders that ship."""
    from identity_graph.loaders import about, known_loaders

    rows = [(name, about(name)) for name in known_loaders()]
    if command.json:
        command.answer([{"name": name, "source": source} for name, source in rows])
    else:
        print_table(["loader", "source"], rows)


@app.command()
@verb
def check(
    command: Command,
    loader: Annotated[str, typer.Argument(metavar="NAME|FILE.toml")],
    sample: Annotated[str | None, typer.Option(metavar="FILE", help="A file of records to try it on.")] = None,
) -> None:
    """Validate a loader; with a sample, show what a load would store and what it would set aside."""
    from identity_graph.loaders import read_loader

    mapping = read_loader(loader)
    file = mapping.file
    namespaces = list(dict.fromkeys(namespace for namespace, _ in file.identifiers))
    result: dict[str, Any] = {"loader": loader, "source": mapping.source, "namespaces": namespaces}
    if sample:
        result["sample"] = _tried(mapping, sample)
    if command.json:
        command.answer(result)
        return
    typer.echo(f"{loader} is a loader of {mapping.source}: {', '.join(namespaces) or 'identifiers of any namespace'}")
    if sample:
        _show(sample, result["sample"])


@app.command()
@verb
def guess(command: Command, file: Annotated[str, typer.Argument(metavar="FILE")]) -> None:
    """Propose a loader for a file, by the names and values of its columns; to be read, and edited."""
    from identity_graph.loaders.guess import guess as propose

    text = propose(file)
    command.answer({"loader": text}, lambda _: text.rstrip())


def _tried(mapping: Loader, sample: str) -> dict[str, Any]:
    from identity_graph.loaders import event_view, try_file
    from identity_graph.model import Refused

    first: list[dict[str, Any]] = []
    counts: Counter[str] = Counter()
    refused: dict[str, dict[str, Any]] = {}
    missing: list[str] = []
    for origin, found in try_file(mapping, sample, received=time_ns() // 1000, missing=missing.extend):
        if isinstance(found, Refused):
            code = refused.setdefault(found.code, {"records": 0, "lines": [], "message": found.message})
            code["records"] += 1
            code["lines"] += [origin.line] if len(code["lines"]) < LINES else []
            continue
        counts["events"] += 1
        counts.update({identifier.namespace for identifier in found.identifiers})
        if len(first) < FIRST:
            first.append({"line": origin.line} | event_view(found))
    events, quarantined = counts.pop("events", 0), sum(code["records"] for code in refused.values())
    return {
        "read": events + quarantined,
        "events": events,
        "quarantined": quarantined,
        "with": dict(counts),
        "missing": missing,
        "first": first,
        "refused": [{"code": code, **why} for code, why in refused.items()],
    }


def _show(sample: str, tried: dict[str, Any]) -> None:
    from identity_graph.records.header import said

    counts = ("read", "events", "quarantined")
    print_table(["file", *counts], [(sample, *(tried[count] for count in counts))])
    if tried["missing"]:
        typer.echo(legible(f"{sample}: {said(tried['missing'])}"))
    for event in tried["first"]:
        typer.echo()
        typer.echo(legible(f"line {event['line']}  {event['time']}  {event['name']}"))
        typer.echo(legible(f"  {' '.join(event['identifiers'])}"))
        if event["traits"]:
            typer.echo(legible(f"  {', '.join(f'{name} {value}' for name, value in event['traits'].items())}"))
    if tried["refused"]:
        typer.echo()
        print_table(["code", "records", "lines", "message of the first"], map(_reason, tried["refused"]))


def _reason(why: dict[str, Any]) -> tuple[Any, ...]:
    lines = ", ".join(map(str, why["lines"])) + (", ..." if why["records"] > LINES else "")
    return why["code"], why["records"], lines, why["message"]
