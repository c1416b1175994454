"""Files of keys, and of people: for their owner alone, and those of keys whole or not at all."""

from __future__ import annotations

import errno
import fcntl
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO


def read_secret(path: Path) -> bytes | None:
    """None where there is no file. Raises OSError."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


def create_secret(path: Path, content: bytes) -> None:
    """Of mode 0600, in a folder of mode 0700 where that is new. Where two processes come here at once, one file stays,
    and whoever reads it finds it whole. Raises OSError."""
    draft = _draft(path, content)
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
    keep_names(path.parent)


def replace_secret(path: Path, content: bytes) -> None:
    """The same, in the place of what was there. Raises OSError."""
    draft = _draft(path, content)
    try:
        draft.replace(path)
    except OSError:
        draft.unlink()
        raise
    keep_names(path.parent)


@contextmanager
def writing_secret(path: Path, *, replace: bool = False) -> Iterator[IO[bytes]]:
    """The same of what is written bit by bit: until all is there it is in `<path>.part`, which whoever comes after a
    kill writes anew, and no two at once. Raises OSError, also where the file is there and is not to be replaced."""
    if path.exists() and not replace:
        raise FileExistsError(errno.EEXIST, "it is there already", str(path))
    private_folder(path.parent)
    part = path.with_name(f"{path.name}.part")
    with os.fdopen(os.open(part, os.O_RDWR | os.O_CREAT, 0o600), "r+b") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise OSError(error.errno, "another process writes it", str(part)) from None
        try:
            os.fchmod(file.fileno(), 0o600)
            file.truncate()
            yield file
            file.flush()
            os.fsync(file.fileno())
            if replace:
                part.replace(path)
            else:
                os.link(part, path)
        except BaseException:
            part.unlink(missing_ok=True)
            raise
        if not replace:
            part.unlink()
    keep_names(path.parent)


def private_folder(path: Path) -> None:
    """Of mode 0700, with each one above it that is new. Raises OSError."""
    for folder in (*reversed(path.parents), path):
        if not folder.exists():
            folder.mkdir(mode=0o700, exist_ok=True)


def private(path: str, flags: int) -> int:
    """`opener` of `open`: what is new is of mode 0600."""
    return os.open(path, flags, 0o600)


def new_file(path: Path) -> None:
    """An empty one for its owner alone, where there is none; SQLite gives its own beside it the same mode."""
    with suppress(OSError):  # it is there, or whoever opens it says what is wrong
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))


def _draft(path: Path, content: bytes) -> Path:
    draft = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    private_folder(path.parent)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        written = 0
        while written < len(content):
            written += os.write(descriptor, content[written:])
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    return draft


def keep_names(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def user_folder() -> Path:
    """Where keys of this user lie that belong to no file."""
    data = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(data) / "identity-graph"
