"""forget, scrub: erase a person, after a look at what goes and what stays; and check the receipt of it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from identity_graph.cli import forget_batch
from identity_graph.cli.command import (
    Command,
    Scope,
    ScopeOption,
    Shared,
    SharedOption,
    anybody_of,
    asked_of,
    content_of,
    formerly_of,
    identifier_of,
    interactive,
    verb,
)
from identity_graph.cli.views import preview_view, restriction_view
from identity_graph.errors import InputError, NotFound


class _Forget(TyperGroup):
    """`forget KEY` is `forget person KEY`: no key and no id is the name of another verb."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        first = next((word for word in args if not word.startswith("-")), None)
        if first is not None and first not in self.commands:
            args = ["person", *args]
        return super().parse_args(ctx, args)


app = typer.Typer(
    cls=_Forget, no_args_is_help=True, help="Erase a person; `forget KEY` is short for `forget person KEY`."
)


@app.command("person")
@verb
def forget(
    command: Command,
    key: Annotated[str, typer.Argument(metavar="KEY|PERSON_ID", help="namespace:value or an id.")],
    scope: ScopeOption = Scope.connected,
    shared: SharedOption = Shared.detach,
    preview: Annotated[bool, typer.Option("--preview", help="Only show what would go and what would stay.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    receipt: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Where the receipt goes; receipt-<id>.json when left out.")
    ] = None,
) -> None:
    """Erase a person, or one identifier of it, and keep it from coming back; writes a receipt."""
    from identity_graph.secret_file import private
    from identity_graph.signing import render

    _check_place(receipt or Path("receipt.json"))
    with command.graph() as graph:
        asked, person = asked_of(graph, key)
        found = graph.forget.preview(person.id, asked, scope.meant)
        if found is None:
            raise NotFound("PERSON_UNKNOWN", f"nobody is known by {key}")
        if preview:
            command.note("", "previewed")
            command.answer(preview_view(found), preview_words)
            return
        if not yes:
            if not interactive():
                raise typer.BadParameter("nobody is there to be asked: add --yes or --preview", param_hint="--yes")
            command.say(preview_words(preview_view(found)))
            what = "person" if scope is Scope.connected else "identifier"
            typer.confirm(f"Erase this {what} for ever?", abort=True, err=True)
        proof = graph.forget.erase(found.token, shared.meant)
        command.note(f"receipt {proof.id}")
        (heir,) = graph.people.find_by_identifier([found.kept]) if found.kept else (None,)
    path = receipt or Path(f"receipt-{proof.id}.json")
    try:
        with open(path, "wb", opener=private) as file:
            file.write(render(proof.document))
    except OSError as error:
        command.say("It is erased, but the receipt could not be written. Keep this:")
        command.answer(proof.document)
        raise InputError("OUTPUT_FAILED", f"{path}: {error.strerror}") from error
    command.say(f"Erased. The receipt is in {path}")
    if found.kept:
        whose = f"leads to person {heir.id}" if heir else "is nobody's"
        command.say(f"{found.kept.key} is kept: events of others hold it too. It now {whose}.")
    if not proof.document["scrubbed"]:
        command.say("Deleted bytes are left in the store's files. To remove them, or see why not: identity-graph scrub")
    command.answer({"receipt": str(path), "document": proof.document}, lambda _: proof.id)


app.command("batch")(forget_batch.batch)


@app.command("resume")
@verb
def resume(command: Command) -> None:
    """Finish erasures that were interrupted."""
    with command.graph() as graph:
        found = [
            {"receipt": one.id, "personId": one.person_id, "state": one.state, "code": one.code or None}
            for one in graph.forget.resume()
        ]
    words = [f"{one['receipt']}  {one['state']}  {one['code'] or ''}".rstrip() for one in found]
    command.answer(found, lambda _: "\n".join(words) or "Nothing was interrupted.")


@app.command("restrict")
@verb
def restrict(
    command: Command,
    key: Annotated[str, typer.Argument(metavar="KEY|PERSON_ID", help="namespace:value or an id.")],
) -> None:
    """Hide a person at once from everybody but privacy officers; `forget` and `disclose` still find it."""
    with command.graph() as graph:
        found = graph.restrictions.restrict(anybody_of(graph, key).id)
    assert found is not None
    command.answer(restriction_view(found), lambda view: f"person {view['personId']} is restricted")


@app.command("unrestrict")
@verb
def unrestrict(
    command: Command,
    key: Annotated[str, typer.Argument(metavar="KEY|PERSON_ID", help="namespace:value or an id.")],
) -> None:
    """Show a restricted person again."""
    with command.graph() as graph:
        id = anybody_of(graph, key).id
        done = graph.restrictions.unrestrict(id)
    words = f"person {id} is shown again" if done else f"person {id} was not restricted"
    command.answer({"personId": id, "unrestricted": done}, lambda _: words)


@app.command("restricted")
@verb
def restricted(command: Command) -> None:
    """List the persons that are restricted."""
    from identity_graph.cli.show import print_table

    with command.graph() as graph:
        found = [restriction_view(one) for one in graph.restrictions.all()]
    if command.json:
        command.answer(found)
    else:
        print_table(["person", "since", "identifiers"], [[*one.values()] for one in found])


@app.command("unsuppress")
@verb
def unsuppress(command: Command, key: Annotated[str, typer.Argument(metavar="KEY", help="namespace:value.")]) -> None:
    """Let an erased identifier come back in new events; nothing is restored."""
    with command.graph() as graph:
        done = graph.forget.unsuppress(identifier_of(key), formerly_of(key))
    words = "It may come back in new events." if done else "It was not suppressed."
    command.answer({"unsuppressed": done}, lambda _: words)


@app.command("new-key")
@verb
def new_key(command: Command) -> None:
    """Make a new key of the tombstones; the old ones are kept for what was erased by them."""
    with command.graph() as graph:
        graph.store.privacy.new_key()
        place = graph.store.transfer.key_place()
    command.answer(
        {"key": str(place)}, lambda found: f"What is erased from now on is kept out by a new key in {found['key']}"
    )


@app.command("verify")
@verb
def verify(
    command: Command,
    receipt: Annotated[Path, typer.Argument(metavar="RECEIPT", help="The file, as it was written.")],
    key: Annotated[Path, typer.Option(metavar="PUBLIC", help="The public key of who erased, as PEM.")],
    recorded: Annotated[
        bool, typer.Option("--recorded", help="Ask the store, too, whether it is of one of its own erasures.")
    ] = False,
) -> None:
    """Check that a receipt is the one that was written; needs no store, unless it is to be of that store."""
    from identity_graph.signing import verify as verified

    document = verified(content_of(receipt), content_of(key))
    if recorded:
        with command.graph() as graph:
            if not graph.forget.gave_out(document):
                raise InputError("RECEIPT_UNKNOWN", "the store gave out no such receipt")
    command.answer(document, lambda found: f"Valid: {found['events']:,} events erased, {found['completedAt']}")


@app.command("public-key")
@verb
def public_key(command: Command) -> None:
    """Print the public key for those who check receipts, as PEM."""
    from identity_graph.signing import Signer

    typer.echo(Signer(command.settings.signing_key).public().decode(), nl=False)


@verb
def scrub(command: Command) -> None:
    """Leave no deleted byte in the store's files; for when a receipt says that a reader was in the way."""
    with command.graph() as graph:
        graph.store.privacy.scrub()
    command.answer({"scrubbed": True}, lambda _: "Scrubbed.")


def _check_place(path: Path) -> None:
    """Before anything is erased: there is only one moment at which the receipt can be had."""
    if path.is_dir() or not os.access(path.resolve().parent, os.W_OK):
        raise typer.BadParameter(f"{path} cannot be written", param_hint="--receipt")


def preview_words(view: dict[str, Any]) -> str:
    lines = [f"person {view['personId']}: {view['events']:,} events"]
    lines += [f"  goes   {key}" for key in view["exclusive"]]
    lines += [f"  goes   {key} (not asked for, but no other events saw it)" for key in view["beside"]]
    lines += [f"  go     {view['quarantined']:,} records that were set aside"] if view["quarantined"] else []
    lines += ["other events hold these too:"] if view["shared"] else []
    mark = dict.fromkeys(view["contested"], " (of other people)")
    lines += [f"  stays  {key}{mark.get(key, '')}" for key in view["shared"]]
    if view["kept"]:
        lines.append(f"{view['kept']} itself stays, and leads to whom those are of, or to nobody")
    lines += [f"it leaves the segments {', '.join(view['segments'])}"] if view["segments"] else []
    return "\n".join(lines)
