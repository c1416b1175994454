"""The command line `identity-graph`: results on standard output, words and progress on standard error.

Heavy modules are imported inside the commands, so that `--help` answers at once.
"""

from __future__ import annotations

from typing import Annotated

import typer

from identity_graph.cli import (
    activate,
    ask,
    audit,
    backups,
    computed,
    consent,
    data,
    disclose,
    keys,
    loader,
    moving,
    opendsr,
    people,
    policy,
    privacy,
    quarantine,
    retention,
    runs,
    segments,
    state,
)
from identity_graph.cli.command import JsonOption, PolicyOption, StoreOption

app = typer.Typer(
    name="identity-graph",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command(rich_help_panel="Begin")(state.demo)
app.command(rich_help_panel="Begin")(state.world)
app.command(rich_help_panel="Data in")(data.load)
app.command(rich_help_panel="Data in")(data.resolve)
app.command(rich_help_panel="Data in")(people.link)
app.command(rich_help_panel="Data in")(people.unlink)
app.add_typer(loader.app, name="loader", rich_help_panel="Data in")
app.add_typer(quarantine.app, name="quarantine", rich_help_panel="Data in")
app.add_typer(runs.app, name="runs", rich_help_panel="Data in")
app.command(rich_help_panel="Ask")(people.person)
app.command(rich_help_panel="Ask")(people.persons)
app.command(rich_help_panel="Ask")(people.explain)
app.command(rich_help_panel="Ask")(ask.query)
app.command(rich_help_panel="Ask")(ask.schema)
app.command(rich_help_panel="Ask")(ask.serve)
app.add_typer(segments.app, name="segment", rich_help_panel="Ask")
app.add_typer(computed.app, name="computed", rich_help_panel="Ask")
app.add_typer(activate.app, name="activate", rich_help_panel="Data out")
app.add_typer(consent.app, name="consent", rich_help_panel="Privacy")
app.add_typer(privacy.app, name="forget", rich_help_panel="Privacy")
app.command(rich_help_panel="Privacy")(disclose.disclose)
app.command(rich_help_panel="Privacy")(privacy.scrub)
app.add_typer(retention.app, name="retention", rich_help_panel="Privacy")
app.add_typer(opendsr.app, name="opendsr", rich_help_panel="Privacy")
app.add_typer(keys.app, name="key", rich_help_panel="Rules and state")
app.add_typer(audit.app, name="audit", rich_help_panel="Rules and state")
app.add_typer(policy.app, name="policy", rich_help_panel="Rules and state")
app.command(rich_help_panel="Rules and state")(state.stats)
app.command(rich_help_panel="Rules and state")(state.digest)
app.command(rich_help_panel="Rules and state")(backups.backup)
app.command(rich_help_panel="Rules and state")(backups.restore)
app.command(rich_help_panel="Rules and state")(moving.copy)
app.command(rich_help_panel="Rules and state")(moving.export)


def _version(asked: bool) -> None:
    if asked:
        from identity_graph import __version__

        typer.echo(f"identity-graph {__version__}")
        raise typer.Exit


@app.callback()
def common(
    context: typer.Context,
    store: StoreOption = None,
    rules: PolicyOption = None,
    json: JsonOption = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Which e-mails, devices, cookies and loyalty ids are one person, and why."""
    context.obj = (store, rules, json)


def main() -> None:
    app()
