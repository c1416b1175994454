"""opendsr: requests of controllers, and the certificate by which they know this service."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from identity_graph.cli.command import Command, Shared, verb
from identity_graph.errors import SettingError

if TYPE_CHECKING:
    from identity_graph.opendsr import Agreement

app = typer.Typer(no_args_is_help=True, help="Requests of controllers, as OpenDSR 2.0 has them.")


@app.command("csr")
@verb
def csr(command: Command) -> None:
    """Print what a certificate authority signs (PKCS #10); makes the private key where there is none."""
    typer.echo(_agreement(command).signing_request(), nl=False)


@app.command("check")
@verb
def check(command: Command) -> None:
    """See whether the agreement, the key and the certificate fit, and print what /discovery will say."""
    from identity_graph.opendsr.answers import discovery

    agreement = _agreement(command)
    agreement.seal()
    command.answer(discovery(agreement))


@app.command("list")
@verb
def list_requests(command: Command) -> None:
    """List the requests, what keeps them waiting, and how many callbacks nobody took."""
    from identity_graph.cli.show import print_table
    from identity_graph.times import format_time

    with command.graph() as graph:
        found, after = [], ""
        while page := graph.store.subject_requests.requests(after=after):
            found += [
                {
                    "id": one.id,
                    "kind": one.kind.value,
                    "status": one.status.value,
                    "received": format_time(one.received),
                    "expected": format_time(one.expected),
                    "results": one.results,
                    "trouble": one.trouble or None,
                    "untold": sum(len(call.waiting) for call in one.calls),
                    "dead": sum(len(call.dead) for call in one.calls),
                }
                for one in page
            ]
            after = page[-1].id
    if command.json:
        command.answer(found)
    else:
        heads = ["request", "kind", "status", "received", "expected", "results", "trouble", "untold", "dead"]
        print_table(heads, [[*one.values()] for one in found])


@app.command("show")
@verb
def show(
    command: Command,
    id: Annotated[str, typer.Argument(metavar="REQUEST", help="An erasure that is not done yet.")],
) -> None:
    """Show what an erasure would take, and what is contested: for who decides."""
    from identity_graph.cli.privacy import preview_words
    from identity_graph.cli.views import preview_view

    agreement = _agreement(command)
    with command.graph() as graph:
        found = [preview_view(one) for one in graph.desk(agreement).previews(id)]
    command.note(f"request {id}", "previewed")
    command.answer(found, lambda views: "\n".join(map(preview_words, views)) or "It names nobody who is known.")


@app.command("decide")
@verb
def decide(
    command: Command,
    id: Annotated[str, typer.Argument(metavar="REQUEST", help="One that waits with IDENTIFIERS_SHARED.")],
    shared: Annotated[
        Shared, typer.Option(help="detach: `serve` goes on, and they stay with the others. refuse: it is called off.")
    ],
) -> None:
    """Decide about an erasure that found identifiers of other people, where the agreement says `shared = "refuse"`."""
    agreement = _agreement(command)
    with command.graph() as graph:
        found = graph.desk(agreement).decide(id, shared.meant)
    command.note(f"request {found.id}", f"decided: {shared}")
    command.answer({"id": found.id, "status": found.status.value}, lambda one: f"{one['id']}  {one['status']}")


@app.command("retry")
@verb
def retry(
    command: Command,
    ids: Annotated[list[str] | None, typer.Argument(metavar="[REQUEST]...", help="Left out: of all.")] = None,
) -> None:
    """Let `serve` make callbacks once more that nobody took."""
    from identity_graph.opendsr.calling import call_again

    with command.graph() as graph:
        count = call_again(graph.store, graph.clock(), ids or None)
    command.answer({"callbacks": count}, lambda _: f"{count:,} callbacks will be made again")


def _agreement(command: Command) -> Agreement:
    from identity_graph.opendsr import Agreement

    path = command.settings.opendsr
    if path is None:
        raise SettingError(
            "SETTING_INVALID", "IDENTITY_GRAPH_OPENDSR is not set", help="Name the file of the agreement."
        )
    return Agreement.read(path)
