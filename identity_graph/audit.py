"""The log of what only the privileged may do: a file to which entries are added, each bound to the one before.

One JSON object a line. Each holds the hash of the one before and its own; every hundredth is signed (Ed25519), and the
last one always, in `<file>.head`. The head is written first: of a process that died between the two, the next one
finishes the entry. Nothing in it names a person: who acted is the id of an API key or a keyed hash.

An older copy of both files is a sound log of its time. Who wants to find that out, too, keeps a head elsewhere now and
then, and gives it to `verify_log`.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import IO, Any

import orjson

from identity_graph.access.caller import Caller
from identity_graph.errors import IdentityGraphError, InputError, SettingError
from identity_graph.secret_file import private_folder, read_secret, replace_secret
from identity_graph.signing import KEY, SIGNATURE, Signer, render, verify
from identity_graph.times import format_time, now

SIGNED_EVERY = 100
FIRST = "0" * 64
"""What the first entry follows."""
NUMBER, PREVIOUS, HASH = "number", "previous", "hash"
MOST_LINE = 4_096

Entry = dict[str, Any]


@dataclass(slots=True)
class Ending:
    """What the entry at the end of an action will say."""

    outcome: str = "done"
    target: str = ""


class AuditLog:
    """May be used by many threads and processes at once. Raises AUDIT_FILE, and AUDIT_BROKEN where an entry would
    follow one that is not the last that was signed: then nothing is done that would have to be in it."""

    def __init__(self, path: Path, signer: Signer) -> None:
        self.path = path
        self._signer = signer

    @property
    def head(self) -> Path:
        return head_of(self.path)

    @contextmanager
    def recorded(self, caller: Caller | None, action: str) -> Iterator[Ending]:
        """An entry before the action and one after it, which says how it ended. That of a process which was killed in
        between has none after it. Without a caller it is a user of this machine."""
        actor, role = self._who(caller)
        number = self.add(actor, role, action, "begun")
        ending = Ending()
        try:
            yield ending
        except IdentityGraphError as error:
            ending.outcome = f"failed: {error.code}"
            raise
        except BaseException:
            ending.outcome = "failed"
            raise
        finally:
            self.add(actor, role, action, ending.outcome, ending.target, of=number)

    def refused(self, caller: Caller, action: str) -> None:
        """Who may not do that has asked for it."""
        self.add(*self._who(caller), action, "refused")

    def _who(self, caller: Caller | None) -> tuple[str, str]:
        if caller is None:
            return "user of this machine", ""
        return caller.name if caller.is_key else f"subject {self._alias(caller.name)}", caller.role.value

    def _alias(self, text: str) -> str:
        """What stands for something that may name somebody: the same for the same text."""
        return self._signer.keyed_hash(text)[:16]

    def add(self, actor: str, role: str, action: str, outcome: str, target: str = "", of: int | None = None) -> int:
        """Durable when it returns. The number of the entry, from 1."""
        try:
            with self._held() as file:
                last = self._last(file)
                entry: Entry = {
                    NUMBER: (last[NUMBER] if last else 0) + 1,
                    "time": format_time(now()),
                    "actor": actor,
                    "role": role,
                    "action": action,
                    "target": target,
                    "outcome": outcome,
                    "of": of,
                    PREVIOUS: last[HASH] if last else FIRST,
                }
                entry[HASH] = hash_of(entry)
                signed = self._signer.sign(entry)
                replace_secret(self.head, render(signed))
                _append(file, line_of(signed))
        except OSError as error:
            raise SettingError("AUDIT_FILE", f"{error.filename or self.path}: {error.strerror}") from error
        return int(entry[NUMBER])

    @contextmanager
    def _held(self) -> Iterator[IO[bytes]]:
        private_folder(self.path.parent)
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(descriptor, "r+b", buffering=0) as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield file

    def _last(self, file: IO[bytes]) -> Entry | None:
        """The entry of the head, which is in the file when this returns."""
        content = read_secret(self.head)
        end = file.seek(0, os.SEEK_END)
        file.seek(max(0, end - 2 * MOST_LINE))
        whole, cut, torn = file.read().rpartition(b"\n")
        tail = whole.rpartition(b"\n")[2] + cut
        if content is None:
            if end:
                raise _broken(self.path, "has entries, and nothing beside it signs the last of them")
            return None
        head = _signed(self.head, content, self._signer.public())
        line = line_of(head)
        if tail == line and not torn:
            return head
        # Whoever wrote the head was cut off before the line was whole.
        if not (line.startswith(torn) and head[PREVIOUS] == _hash_in(tail)):
            raise _broken(self.path, "does not end with the entry that was signed last")
        file.truncate(end - len(torn))
        _append(file, line)
        return head


def verify_log(path: Path, public: bytes, earlier: bytes | None = None) -> int:
    """The number of entries of a log that is as it was written, to the last one. `public` is a PEM, `earlier` a head
    that was kept. Raises AUDIT_BROKEN with the first line that is not, AUDIT_FILE, SIGNING_KEY. Some 5 us an entry."""
    kept = _signed(Path("the head that was kept"), earlier, public) if earlier is not None else None
    last, number, torn = FIRST, 0, b""
    try:
        with path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH)
            for raw in file:
                if not raw.endswith(b"\n"):
                    torn = raw
                    break
                number += 1
                last = _check(path, number, raw, last, public)
                if kept and kept[NUMBER] == number and kept[HASH] != last:
                    raise _broken(path, f"line {number} is not the one that was signed")
            content = read_secret(head_of(path))
    except OSError as error:
        raise SettingError("AUDIT_FILE", f"{error.filename or path}: {error.strerror}") from error
    if kept and kept[NUMBER] > number:
        raise _broken(path, f"entries {number + 1} to {kept[NUMBER]} are missing")
    if content is None:
        raise _broken(head_of(path), "is missing: it signs the last entry")
    head = _signed(head_of(path), content, public)
    if head[NUMBER] == number + 1 and head[PREVIOUS] == last and line_of(head).startswith(torn):
        return int(head[NUMBER])  # it was being written
    if torn:
        raise _broken(path, f"line {number + 1} has no end")
    if head[NUMBER] > number:
        raise _broken(path, f"entries {number + 1} to {head[NUMBER]} are missing")
    if head[NUMBER] < number:
        raise _broken(path, f"line {head[NUMBER] + 1} was added by something else")
    if head[HASH] != last:
        begin = number - (number - 1) % SIGNED_EVERY
        raise _broken(path, f"line {number}, or one from {begin} on, is not the one that was signed")
    return number


def entries(path: Path) -> Iterator[Entry]:
    """Oldest first, unchecked. Raises AUDIT_FILE, AUDIT_BROKEN."""
    try:
        with path.open("rb") as file:
            for number, raw in enumerate(file, 1):
                try:
                    yield dict(orjson.loads(raw))
                except (ValueError, TypeError):
                    raise _broken(path, f"line {number} is not as it was written") from None
    except OSError as error:
        raise SettingError("AUDIT_FILE", f"{error.filename or path}: {error.strerror}") from error


def head_of(path: Path) -> Path:
    return path.with_name(path.name + ".head")


def _check(path: Path, number: int, raw: bytes, last: str, public: bytes) -> str:
    """The hash of a line that is sound and follows the one of hash `last`."""
    try:
        entry = orjson.loads(raw)
        written = orjson.dumps(entry, option=orjson.OPT_APPEND_NEWLINE)
        found, previous, own = entry[NUMBER], entry[PREVIOUS], entry[HASH]
    except (ValueError, TypeError, KeyError):
        raise _broken(path, f"line {number} is not as it was written") from None
    if found != number:
        raise _broken(path, f"line {number} should have entry {number}, and has {found!s:.20}")
    if previous != last:
        raise _broken(path, f"line {number} does not follow the line before it")
    if number % SIGNED_EVERY == 0:
        _signed(path, render(entry), public, f"line {number}")
        entry = {name: value for name, value in entry.items() if name not in (KEY, SIGNATURE)}
    elif SIGNATURE in entry:
        raise _broken(path, f"line {number} is not as it was written")
    if written != raw or own != hash_of({name: value for name, value in entry.items() if name != HASH}):
        raise _broken(path, f"line {number} was changed")
    return str(own)


def _signed(path: Path, content: bytes, public: bytes, where: str = "") -> Entry:
    try:
        verify(content, public)
    except InputError as error:
        raise _broken(path, f"{where} {error.message}".strip()) from None
    return dict(orjson.loads(content))


def hash_of(entry: Entry) -> str:
    return sha256(orjson.dumps(entry)).hexdigest()


def _hash_in(line: bytes) -> object:
    if not line:
        return FIRST
    try:
        return orjson.loads(line)[HASH]
    except (ValueError, TypeError, KeyError):
        return None


def line_of(signed: Entry) -> bytes:
    """As it stands in the log: with its signature now and then, as that is half of it."""
    kept = signed if signed[NUMBER] % SIGNED_EVERY == 0 else {n: signed[n] for n in signed if n not in (KEY, SIGNATURE)}
    return orjson.dumps(kept, option=orjson.OPT_APPEND_NEWLINE)


def _append(file: IO[bytes], line: bytes) -> None:
    written = 0
    while written < len(line):
        written += file.write(line[written:])
    os.fsync(file.fileno())


def _broken(path: Path, what: str) -> InputError:
    return InputError("AUDIT_BROKEN", f"{path}: {what}")
