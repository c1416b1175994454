"""backup, restore: a store in one sealed file, and back."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from identity_graph.cli.command import Command, verb
from identity_graph.cli.show import progress
from identity_graph.errors import InputError, SettingError, StoreError

if TYPE_CHECKING:
    from identity_graph.backing_up import Backup
    from identity_graph.erased_register import ErasedRegister
    from identity_graph.restoring import Restored
    from identity_graph.sealing import Sealed, SealKey

KeyOption = Annotated[
    Path | None,
    typer.Option(
        "--key", metavar="KEYFILE", help="A key file of age; else IDENTITY_GRAPH_BACKUP_KEY.", show_default=False
    ),
]
FileArgument = Annotated[Path, typer.Argument(metavar="FILE", help="The backup.")]


@verb
def backup(command: Command, file: FileArgument, key: KeyOption = None) -> None:
    """Write the store, as it is now, into one sealed file; others go on meanwhile."""
    from identity_graph.backing_up import back_up

    by = _key(command, key)
    with command.graph() as graph:
        if by.make():
            command.say(f"The key is in {by.place}: keep it apart from the backups. Without it nobody opens them.")
        with progress("backup", "rows") as hear:
            made = back_up(graph.store, file, by, graph.new_id(), graph.clock(), hear)
    command.note(f"backup {made.id}")
    command.answer(_view(made), lambda _: f"{_counted(made)} are in {file}")


@verb
def restore(
    command: Command,
    file: FileArgument,
    key: KeyOption = None,
    erased: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="The register of what was erased; else IDENTITY_GRAPH_ERASED, or beside the store.",
            show_default=False,
        ),
    ] = None,
    nothing_erased: Annotated[
        bool, typer.Option("--nothing-erased", help="Nobody was erased since the backup, so there is no register.")
    ] = False,
    replaced: Annotated[bool, typer.Option("--replace", help="In the place of the store that is there.")] = False,
    check: Annotated[bool, typer.Option("--check", help="Only see whether the backup is whole.")] = False,
) -> None:
    """Make a store of a backup, without whom was erased since; interrupted, the same command goes on."""
    from identity_graph.backing_up import examine
    from identity_graph.sealing import Sealed
    from identity_graph.store import file_of

    if erased and nothing_erased:
        raise typer.BadParameter("there is a register: --erased", param_hint="--nothing-erased")
    if command.store == "sqlite:///:memory:":
        raise typer.BadParameter("a store in memory is gone when this ends", param_hint="--store")
    sealed = Sealed(file, _key(command, key))
    found = examine(sealed)
    if check:
        command.answer(_view(found), lambda _: f"{_counted(found)}, of {found.created}: the backup is whole.")
        return
    told = _Told(erased or command.settings.erased, nothing_erased, replaced)
    path = file_of(command.store)
    done = _to_file(command, path, sealed, found, told) if path else _to_server(command, sealed, found, told)
    command.note(f"backup {found.id}")
    command.answer(
        _view(found)
        | {"erasedAgain": done.erased._asdict() | {"quarantined": done.records}}
        | {"restrictedAgain": {"identifiers": done.restricted, "unknown": done.unknown}},
        lambda _: (
            f"{_counted(found)} are as they were at {found.created}{_erased_words(done)}.{_restricted_words(done)}"
        ),
    )


class _Told(NamedTuple):
    """What was said of the register, and of what is there."""

    register: Path | None
    nothing_erased: bool
    replace: bool

    def registers(self, beside: Path | None, replaced: Path | None = None) -> list[ErasedRegister]:
        """None of them only where nobody was erased; what the store that is replaced erased, counts in any case. Raises
        ERASED_REGISTER where there is none."""
        from identity_graph.erased_register import ErasedRegister

        place = self.register or beside
        if not self.nothing_erased and (place is None or not place.exists()):
            raise SettingError("ERASED_REGISTER", f"there is no register at {place}")
        places = {replaced} if self.nothing_erased else {replaced, place}
        return [ErasedRegister(one) for one in sorted(one for one in places if one is not None)]


def _to_file(command: Command, path: Path, sealed: Sealed, found: Backup, told: _Told) -> Restored:
    """In a file beside it, which takes its place when all is done."""
    from identity_graph.copying import is_empty
    from identity_graph.store.sqlite.installing import check_alone, install

    erased = None
    if path.exists():
        with command.graph(half=True) as old:
            if not is_empty(old.store):
                if not told.replace:
                    raise StoreError("RESTORE_TARGET", f"{path} has data of its own")
                old.register.follow(old.store)
                erased = old.register.place if old.store.transfer.key_check() else None
        check_alone(path)  # before the work of it
    key = path.with_name(f"{path.name}.key")
    staged = path.with_name(f"{path.name}.restoring")
    done = _fill(command, staged, key, sealed, found, told.registers(key.with_suffix(".erased"), erased))
    install(staged, path)
    return done


def _to_server(command: Command, sealed: Sealed, found: Backup, told: _Told) -> Restored:
    """In a file of this user, and from there: whom a server had once may be in its own files for long."""
    from identity_graph import copying
    from identity_graph.secret_file import private_folder, user_folder

    with command.graph(create=True, half=True) as target:
        if not copying.is_empty(target.store) and target.store.transfer.mark() is None:
            help = "Name an empty database: one of a server is not replaced."
            raise StoreError("RESTORE_TARGET", f"{target.store.kind}: the database has data of its own", help=help)
        staged = user_folder() / f"restoring-{found.id}.db"
        private_folder(staged.parent)
        key = target.store.transfer.key_place()
        done = _fill(command, staged, key, sealed, found, told.registers(target.register.place))
        with _staging(command, staged, key) as graph, progress("restore", "rows") as hear:
            copying.copy(graph.store, target.store, hear)
    _remove(staged)
    return done


def _fill(
    command: Command,
    staged: Path,
    key: Path | None,
    sealed: Sealed,
    found: Backup,
    registers: list[ErasedRegister],
) -> Restored:
    from identity_graph.deleting import Deletion
    from identity_graph.restoring import begun, restore

    with _staging(command, staged, key) as graph:
        fits = begun(graph.store, found)
    if not fits:  # of another backup, and given up
        _remove(staged)
    try:
        with _staging(command, staged, key) as graph, progress("restore", "rows") as hear:
            words = "erased before the backup was restored"
            deletion = Deletion(graph.store, graph.policy, graph.resolver, graph.clock, "erasure", words)
            return restore(sealed, found, graph.store, deletion, registers, hear)
    except InputError:  # another one may be sound
        _remove(staged)
        raise


def _staging(command: Command, staged: Path, key: Path | None) -> Any:
    return replace(command, store=f"sqlite:///{staged}").graph(create=True, half=True, key_place=key)


def _remove(store: Path) -> None:
    for ending in ("", "-wal", "-shm"):
        store.with_name(store.name + ending).unlink(missing_ok=True)


def _key(command: Command, place: Path | None) -> SealKey:
    """Raises BACKUP_KEY where there is none."""
    from identity_graph.sealing import SealKey

    settings = command.settings
    if place is None and settings.backup_key is None and settings.backup_passphrase is not None:
        return SealKey(settings.backup_passphrase.get_secret_value())
    found = place or settings.backup_key
    if found is None:
        raise SettingError("BACKUP_KEY", "a backup is sealed, and neither a key file nor a passphrase is named")
    return SealKey(place=found)


def _view(made: Backup) -> dict[str, Any]:
    view = made._asdict()
    return {"backup": view.pop("id"), "software": view.pop("software"), "created": view.pop("created")} | view


def _counted(made: Backup) -> str:
    counts = made.counts
    return f"{counts['events']:,} events, {counts['identifiers']:,} identifiers and {counts['persons']:,} persons"


def _erased_words(done: Restored) -> str:
    gone = done.erased
    if not gone.events and not done.records:
        return ""
    return (
        f", but for {gone.events:,} events and {gone.persons:,} persons that were erased since. The store does not know"
        " their receipts: those that were handed out are valid"
    )


def _restricted_words(done: Restored) -> str:
    words = f" By the register {done.restricted:,} identifiers are restricted." if done.restricted else ""
    if done.unknown:
        words += (
            f" {done.unknown:,} that are restricted are not in the backup: restrict them again once they are loaded."
        )
    return words
