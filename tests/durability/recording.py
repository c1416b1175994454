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


EVERY = 32
"""Calls, of which the last few are followed again for each cut."""


@dataclass
class _Followed:
    """What is on the disk for sure, and what may be there, after some calls."""

    files: dict[str, bytearray] = field(default_factory=dict)
    waiting: dict[str, list[Call]] = field(default_factory=dict)
    made: set[str] = field(default_factory=set)
    deleted: set[str] = field(default_factory=set)
    promises: list[str] = field(default_factory=list)

    def copy(self) -> _Followed:
        files = {name: content.copy() for name, content in self.files.items()}
        waiting = {name: calls.copy() for name, calls in self.waiting.items()}
        return _Followed(files, waiting, self.made.copy(), self.deleted.copy(), self.promises.copy())

    def follow(self, call: Call) -> None:
        if call.kind == "said":
            self.promises.append(call.file)
        elif call.kind == "create":
            self.made.add(call.file)
            self.waiting[call.file] = []
        elif call.kind == "delete":
            self.deleted.add(call.file)
        elif call.kind == "sync":
            before = self.files.get(call.file, bytearray())
            self.files[call.file] = _applied(before, self.waiting.pop(call.file, ()), None)
            if call.file in self.made and call.file.endswith(("-journal", "-wal")):
                _forget(self.deleted, self.files, self.waiting)
            self.made.discard(call.file)
        else:
            self.waiting.setdefault(call.file, []).append(call)
        if call.kind == "delete" and call.offset:
            _forget(self.deleted, self.files, self.waiting)


class Cuts:
    """Of one recording, which is over: what was followed once is where later cuts begin."""

    def __init__(self, calls: Sequence[Call]) -> None:
        self._calls = calls
        self._followed = [_Followed()]  # of so many times EVERY calls

    def after(self, at: int, dice: random.Random) -> Disk:
        """Of the first `at` calls all that was synced is there; of the others each may be, or be torn between sectors,
        in any combination. A file that was created and not synced yet may not be there at all, and one that was deleted
        may be, until its folder is synced: as SQLite does with the first sync of a journal or log that it made."""
        found = self._after(at)
        files, waiting = found.files, found.waiting
        _forget({name for name in sorted(found.deleted) if dice.random() < 0.5}, files, waiting)
        for name, rest in waiting.items():
            if name not in found.made or dice.random() < 0.5:
                files[name] = _applied(files.get(name, bytearray()), rest, dice)
        return Disk({name: bytes(content) for name, content in files.items()}, found.promises)

    def _after(self, at: int) -> _Followed:
        while len(self._followed) <= at // EVERY:
            self._followed.append(self._on(len(self._followed) - 1, EVERY))
        return self._on(at // EVERY, at % EVERY)

    def _on(self, place: int, calls: int) -> _Followed:
        found = self._followed[place].copy()
        for call in self._calls[place * EVERY : place * EVERY + calls]:
            found.follow(call)
        return found


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
