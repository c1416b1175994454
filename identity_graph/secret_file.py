"""Files of keys: for their owner alone, and whole or not at all."""

from __future__ import annotations

import os
import secrets
from pathlib import Path


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
    _keep_names(path.parent)


def replace_secret(path: Path, content: bytes) -> None:
    """The same, in the place of what was there. Raises OSError."""
    draft = _draft(path, content)
    try:
        draft.replace(path)
    except OSError:
        draft.unlink()
        raise
    _keep_names(path.parent)


def _draft(path: Path, content: bytes) -> Path:
    draft = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        written = 0
        while written < len(content):
            written += os.write(descriptor, content[written:])
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    return draft


def _keep_names(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def user_folder() -> Path:
    """Where keys of this user lie that belong to no file."""
    data = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(data) / "identity-graph"
