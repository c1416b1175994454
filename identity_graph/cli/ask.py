"""query, schema, serve: GraphQL without and with a server."""

from __future__ import annotations

import sys
from functools import partial
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from identity_graph.cli.command import Command, verb
from identity_graph.cli.show import as_json
from identity_graph.errors import AccessError, InputError, QueryError, SettingError

if TYPE_CHECKING:
    from identity_graph.access import Door


@verb
def query(
    command: Command,
    file: Annotated[
        str,
        typer.Argument(
            metavar="FILE.graphql", help="A file, the name of a shipped operation, or - for standard input."
        ),
    ] = "-",
    variables: Annotated[str, typer.Option(metavar="JSON", help="The variables, as one JSON object.")] = "{}",
    operation: Annotated[str | None, typer.Option(metavar="NAME", help="Which one, if the file holds several.")] = None,
) -> None:
    """Answer a GraphQL request from the store, without a server."""
    from identity_graph.api import execute

    document = _document(file)
    values = _variables(variables)
    with command.graph() as graph:
        response = execute(
            graph, document, values, operation, door=command.checking, caller=command.caller, audit=command.audit()
        )
    typer.echo(as_json(response))
    errors = response.get("errors")
    if errors:
        first = errors[0]
        code = first.get("extensions", {}).get("code", "QUERY_FAILED")
        more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
        raise QueryError(
            "QUERY_FAILED", f"{code}: {first['message']}{more}", help=first.get("extensions", {}).get("help", "")
        )


@verb
def schema(command: Command) -> None:
    """Print the GraphQL schema."""
    from identity_graph.api import sdl

    command.answer({"sdl": sdl()}, lambda result: str(result["sdl"]).rstrip())


@verb
def serve(
    command: Command,
    host: Annotated[str | None, typer.Option(help="The address; else IDENTITY_GRAPH_HOST.", show_default=False)] = None,
    port: Annotated[
        int | None,
        typer.Option(
            min=0, max=65535, help="The port, 0 for a free one; else IDENTITY_GRAPH_PORT.", show_default=False
        ),
    ] = None,
    trusted: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="A folder of GraphQL documents that clients may name by hash; else IDENTITY_GRAPH_TRUSTED.",
            show_default=False,
        ),
    ] = None,
    trusted_only: Annotated[bool, typer.Option("--trusted-only", help="Answer no other documents.")] = False,
    workspaces: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.toml",
            help="Several stores, each below /w/NAME/ and with its own keys; else IDENTITY_GRAPH_WORKSPACES.",
            show_default=False,
        ),
    ] = None,
    certificate: Annotated[
        Path | None,
        typer.Option(
            "--ssl-certfile",
            metavar="FILE.pem",
            help="Serve by TLS with this certificate; else IDENTITY_GRAPH_SSL_CERTFILE.",
            show_default=False,
        ),
    ] = None,
    key: Annotated[
        Path | None,
        typer.Option(
            "--ssl-keyfile",
            metavar="FILE.pem",
            help="Its key, where that is in another file; else IDENTITY_GRAPH_SSL_KEYFILE.",
            show_default=False,
        ),
    ] = None,
    open_: Annotated[
        bool, typer.Option("--open", help="Answer whoever asks from this machine, without keys; to try things out.")
    ] = False,
) -> None:
    """Serve GraphQL at /graphql, its schema at /schema.graphql, the tracking API at /v1, /health and /metrics."""
    from identity_graph.api import create_app
    from identity_graph.api.terms import Terms
    from identity_graph.cli.server import Certificate, Server
    from identity_graph.opendsr import Agreement
    from identity_graph.sweeping import Keeping
    from identity_graph.tracking.write_keys import WriteKeys

    settings = command.settings
    keys = WriteKeys.parse(settings.write_keys)
    terms = Terms(
        deadline=settings.deadline,
        mutation_deadline=settings.mutation_deadline,
        max_body=settings.max_body,
        introspection=settings.introspection,
        graphiql=settings.graphiql,
        hosts=_parts(settings.hosts),
        origins=_parts(settings.origins),
        trusted=trusted or settings.trusted,
        trusted_only=trusted_only or settings.trusted_only,
    )
    if terms.trusted_only and not terms.trusted:
        raise SettingError(
            "SETTING_INVALID", "only trusted documents, and none is named", help="Name some by --trusted."
        )
    keeping = Keeping(settings.quarantine_days, settings.quarantine_bytes)
    chain, key = certificate or settings.ssl_certfile, key or settings.ssl_keyfile
    if key and not chain:
        message = f"{key} is the key of a certificate, and none is named"
        raise SettingError("SETTING_INVALID", message, help="Name it by --ssl-certfile.")
    serving = partial(
        Server,
        host=host or settings.host,
        port=settings.port if port is None else port,
        max_body=terms.max_body,
        patience=terms.patience,
        say=command.say,
        certificate=Certificate(chain, key) if chain else None,
    )
    workspaces = workspaces or settings.workspaces
    if workspaces:
        from identity_graph.cli.workspaces import workspaces_app

        if open_:
            raise SettingError("SETTING_INVALID", "--open, and workspaces have keys", help="Leave one of them out.")
        if settings.opendsr:
            message = "IDENTITY_GRAPH_OPENDSR, and what is agreed with controllers is of one store"
            raise SettingError("SETTING_INVALID", message, help="Answer /opendsr by a service of its own.")
        with workspaces_app(command, workspaces, terms) as app:
            serving(app, path="/w/NAME/graphql").serve_until_stopped()
        return
    door = _door(command, host or settings.host, open_)
    opendsr = Agreement.read(settings.opendsr) if settings.opendsr else None
    with command.graph(create=True) as graph:
        command.finish_erasures(graph)
        command.check_published(graph)
        app = create_app(
            graph,
            keys,
            terms,
            metrics=settings.metrics,
            door=door,
            keeping=keeping,
            audit=command.audit(),
            opendsr=opendsr,
            elsewhere=None if command.in_memory else command.opens(),
        )
        serving(app).serve_until_stopped()


def _door(command: Command, host: str, open_: bool) -> Door | None:
    """None where it stays open. Raises KEYS_MISSING."""
    door = command.door()
    if door is not None:
        if open_:
            raise SettingError(
                "SETTING_INVALID", "--open, and IDENTITY_GRAPH_KEYS is set", help="Leave one of them out."
            )
        if door.keys and not door.keys.any():
            command.say("There are no keys yet, so nobody is let in: identity-graph key create --role ROLE")
        return door
    if not open_:
        raise AccessError("KEYS_MISSING", "serve has no keys by which to know who asks")
    if not _is_loopback(host):
        raise AccessError(
            "KEYS_MISSING",
            f"{host} can be reached from other machines, and serve --open has no keys",
            help="Name a file by IDENTITY_GRAPH_KEYS and leave out --open, or serve on 127.0.0.1.",
        )
    return None


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _parts(text: str) -> tuple[str, ...]:
    return tuple(part for part in (part.strip() for part in text.split(",")) if part)


def _document(file: str) -> str:
    from identity_graph.files import data_folder

    path = Path(file)
    shipped = data_folder("graphql") / "operations" / f"{file}.graphql"
    if file != "-" and not path.exists() and shipped.is_file():
        path = shipped
    try:
        return sys.stdin.read() if file == "-" else path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError("SOURCE_MISSING", f"{file}: {error}") from error


def _variables(text: str) -> dict[str, Any]:
    import orjson

    try:
        values = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise typer.BadParameter(f"not JSON: {error}", param_hint="--variables") from error
    if not isinstance(values, dict):
        raise typer.BadParameter("not a JSON object", param_hint="--variables")
    return values
