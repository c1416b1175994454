"""What a program asks of its disk, written down call by call, so that every cut of the power can be tried."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import apsw

SECTOR = 512  # what a disk writes whole


class Call(NamedTuple):
    """`kind` is create, write, truncate, sync, delete, or said: what the program promised when it came there."""

    kind: str
    file: str
    offset: int = 0
    data: bytes = b""


class Recording(apsw.VFS):
    """A file system of SQLite that does what the usual one does, and writes it down. A log that several connections
    share is not to be had here: open with `locking_mode = exclusive`."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.calls: list[Call] = []
        self._known: set[str] = set()
        super().__init__(name, "")

    def say(self, promise: str) -> None:
        self.calls.append(Call("said", promise))

    def xOpen(self, name: Any, flags: list[int]) -> _File:
        path = name.filename() if isinstance(name, apsw.URIFilename) else name
        file = Path(path).name
        if file not in self._known and not Path(path).exists():
            self.calls.append(Call("create", file))
        self._known.add(file)
        return _File(self, file, name, flags)

    def xDelete(self, path: str, sync: bool) -> None:
        super().xDelete(path, sync)
        file = Path(path).name
        self._known.discard(file)
        self.calls.append(Call("delete", file, int(sync)))


class _File(apsw.VFSFile):
    def __init__(self, recording: Recording, file: str, name: Any, flags: list[int]) -> None:
        self._calls = recording.calls
        self._file = file
        super().__init__("", name, flags)

    def xWrite(self, data: bytes, offset: int) -> None:
        super().xWrite(data, offset)
        self._calls.append(Call("write", self._file, offset, bytes(data)))

    def xTruncate(self, size: int) -> None:
        super().xTruncate(size)
        self._calls.append(Call("truncate", self._file, size))

    def xSync(self, flags: int) -> None:
        super().xSync(flags)
        self._calls.append(Call("sync", self._file))


@dataclass(frozen=True)
class Disk:
    """The files that a disk may hold after the power was cut, and what had been promised by then."""

    files: dict[str, bytes]
    promises: list[str] = field(default_factory=list)

    def write(self, folder: Path) -> None:
        for name, content in self.files.items():
            (folder / name).write_bytes(content)


def after_a_cut(calls: Sequence[Call], at: int, dice: random.Random) -> Disk:
    """Of the first `at` calls all that was synced is there; of the others each may be, or be torn between sectors, in
    any combination. A file that was created and not synced yet may not be there at all, and one that was deleted may
    be, until its folder is synced: as SQLite does with the first sync of a journal or log that it made."""
    files: dict[str, bytearray] = {}
    waiting: dict[str, list[Call]] = {}
    made: set[str] = set()
    deleted: set[str] = set()
    promises = []
    for call in calls[:at]:
        if call.kind == "said":
            promises.append(call.file)
        elif call.kind == "create":
            made.add(call.file)
            waiting[call.file] = []
        elif call.kind == "delete":
            deleted.add(call.file)
        elif call.kind == "sync":
            files[call.file] = _applied(files.get(call.file, bytearray()), waiting.pop(call.file, ()), None)
            if call.file in made and call.file.endswith(("-journal", "-wal")):
                _forget(deleted, files, waiting)
            made.discard(call.file)
        else:
            waiting.setdefault(call.file, []).append(call)
        if call.kind == "delete" and call.offset:
            _forget(deleted, files, waiting)
    _forget({name for name in sorted(deleted) if dice.random() < 0.5}, files, waiting)
    for name, rest in waiting.items():
        if name not in made or dice.random() < 0.5:
            files[name] = _applied(files.get(name, bytearray()), rest, dice)
    return Disk({name: bytes(content) for name, content in files.items()}, promises)


def _forget(deleted: set[str], files: dict[str, bytearray], waiting: dict[str, list[Call]]) -> None:
    for name in deleted:
        files.pop(name, None)
        waiting.pop(name, None)
    deleted.clear()


def _applied(content: bytearray, calls: Iterable[Call], dice: random.Random | None) -> bytearray:
    """All of the calls, or with dice some of them."""
    for call in calls:
        if dice is not None and dice.random() < 0.5:
            continue
        if call.kind == "truncate":
            del content[call.offset :]
        elif call.kind == "write":
            torn = dice is not None and dice.random() < 0.3
            for start in range(0, len(call.data), SECTOR) if torn else (0,):
                if torn and dice is not None and dice.random() < 0.5:
                    continue
                piece = call.data[start : start + SECTOR] if torn else call.data
                end = call.offset + start + len(piece)
                if len(content) < end:
                    content.extend(bytes(end - len(content)))
                content[call.offset + start : end] = piece
    return content
