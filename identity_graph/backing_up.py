"""Writes all that a store holds, as it is at one moment, into one sealed file.

Under the seal are lines of JSON: what it is, the pieces by which a store is copied, and at the end how many they are
and the digest of the store. So a backup is of no kind of store, and tells whether it was restored well.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from identity_graph import __version__, copying
from identity_graph.copying import Hear
from identity_graph.errors import InputError
from identity_graph.piece_lines import line_of
from identity_graph.sealing import Sealed, SealKey, changed, seal
from identity_graph.secret_file import writing_secret
from identity_graph.state_digest import digest_of
from identity_graph.store.protocols import Store
from identity_graph.times import format_time

FORMAT = "identity-graph backup"
VERSION = 1


class Backup(NamedTuple):
    """What a sealed file says of itself. `tombstones`: whether the store had any."""

    id: str
    software: str
    created: str
    kind: str
    tombstones: bool
    counts: dict[str, int]
    pieces: int
    digest: str


def back_up(store: Store, file: Path, key: SealKey, id: str, now: int, hear: Hear | None = None) -> Backup:
    """Into a new file, whole or not at all. What is read is of one moment; who writes meanwhile waits on a server, and
    not on a file. Raises BACKUP_KEY and OSError."""
    with store.transfer.hold(), writing_secret(file) as out:
        counts = store.operations.counts()
        counts.pop("bytes", None)
        tombstones = store.transfer.key_check() is not None
        found = Backup(id, f"identity-graph {__version__}", format_time(now), store.kind, tombstones, counts, 0, "")
        progress = copying.Progress(hear, 0, copying.rows_in(counts))
        ending: dict[str, Any] = {}
        seal(_lines(store, found, progress, ending), out, key)
    return found._replace(**ending)


def _lines(store: Store, found: Backup, progress: copying.Progress, ending: dict[str, Any]) -> Iterator[bytes]:
    head = {"format": FORMAT, "version": VERSION, **found._asdict()}
    yield orjson.dumps({name: value for name, value in head.items() if name not in ("pieces", "digest")}) + b"\n"
    pieces = 0
    for piece in progress.following(copying.pieces(store)):
        pieces += 1
        yield line_of(piece) + b"\n"
    ending.update(pieces=pieces, digest=digest_of(store))
    yield orjson.dumps(ending) + b"\n"


def examine(sealed: Sealed) -> Backup:
    """Read it whole, and say what it is. Raises BACKUP_KEY, BACKUP_INVALID and SOURCE_MISSING."""
    lines = 0
    first = last = b""

    def take(line: bytes) -> None:
        nonlocal lines, first, last
        first = first or line
        last = line
        lines += 1

    read_lines(sealed, take)
    try:
        head, ending = orjson.loads(first), orjson.loads(last)
        if head.pop("format") != FORMAT:
            raise ValueError
        version = head.pop("version")
        if version != VERSION:
            raise InputError(
                "BACKUP_INVALID",
                f"{sealed.path} has version {version} of the format; this program reads version {VERSION}",
                help="Use the version of identity-graph that wrote it.",
            )
        found = Backup(**head, **ending)
    except (ValueError, KeyError, TypeError, AttributeError):
        raise InputError("BACKUP_INVALID", f"{sealed.path} is no backup of a store") from None
    if lines != found.pieces + 2:
        raise changed()
    return found


def read_lines(sealed: Sealed, take: Callable[[bytes], None]) -> None:
    """Each as it comes, without its end."""
    begun: list[bytes] = []

    def split(part: bytes) -> None:
        *ends, rest = part.split(b"\n")
        for end in ends:
            line = b"".join([*begun, end])
            begun.clear()
            take(line)
        if rest:
            begun.append(rest)

    sealed.unseal(split)
    if begun:
        raise changed()
