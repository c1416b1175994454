"""The steps from the tables of an earlier version to those of this one: scripts, named by the version they make."""

from __future__ import annotations

from importlib.resources import files

import apsw

from identity_graph.hashed import hashes

VERSION = 7
OLDEST = 4
"""From which there are steps."""


def script(name: str) -> str:
    return files("identity_graph.store.sqlite").joinpath(f"{name}.sql").read_text(encoding="utf-8")


def migrate(writer: apsw.Connection, version: int) -> None:
    """Run the scripts that are left, in the caller's transaction. They may call `text_hash`."""
    writer.create_scalar_function("text_hash", _text_hash, 1, deterministic=True)
    for made in range(version + 1, VERSION + 1):
        writer.execute(script(f"migrations/{made}"))


def _text_hash(*texts: apsw.SQLiteValue) -> int:
    return int(hashes(map(str, texts))[0])
