"""API keys. What is stored of one is a keyed hash, so that neither the file nor a copy of it opens anything."""

from __future__ import annotations

import fcntl
import hmac
import re
import secrets
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from hashlib import sha256
from pathlib import Path
from threading import Lock
from typing import Any

import orjson

from identity_graph.access.caller import Caller
from identity_graph.access.limits import Rate
from identity_graph.access.rules import AccessRules, Role
from identity_graph.errors import AccessError
from identity_graph.secret_file import create_secret, private, private_folder, read_secret, replace_secret
from identity_graph.times import now

PREFIX = "ig_"
FRESH = 0.25  # seconds for which nobody looks whether the file has changed
_FORM = re.compile(r"ig_([0-9a-f]{12})_[0-9a-f]{64}")
_SECRET_BYTES = 32
_VERSION = 1


@dataclass(frozen=True, slots=True)
class ApiKey:
    """Times are microseconds since 1970. `hash` is hexadecimal; `limit` is as `Rate` reads it, empty for none; without
    `scopes` it is for all that its role may."""

    id: str
    role: Role
    name: str
    created: int
    expires: int | None
    revoked: int | None
    hash: str
    limit: str = ""
    scopes: tuple[str, ...] = ()

    @property
    def rate(self) -> Rate | None:
        """Raises ValueError."""
        return Rate.parse(self.limit) if self.limit else None

    def state(self, now: int) -> str:
        if self.revoked is not None:
            return "revoked"
        return "expired" if self.expires is not None and self.expires <= now else "active"


class KeysFile:
    """The keys in a file, and in `<file>.secret` the key of their hashes. A file that is not there holds none."""

    def __init__(self, path: Path, clock: Callable[[], int] = now) -> None:
        self.path = path
        self._secret_path = path.with_name(path.name + ".secret")
        self._clock = clock
        self._reading = Lock()
        self._looked = float("-inf")
        self._seen: object = None
        self._keys: Mapping[str, ApiKey] = {}
        self._secret: bytes | None = None

    # ---- to know who asks

    def caller(self, text: str) -> Caller:
        """Raises UNAUTHENTICATED, and KEYS_FILE where it cannot be known."""
        self._look()
        match = _FORM.fullmatch(text)
        if not self._keys:
            raise AccessError("UNAUTHENTICATED", "the key is not one that is taken here")
        key = self._keys.get(match[1]) if match else None
        # The same work for an id that is not there, so that time tells nothing of which are.
        same = hmac.compare_digest(self._hash(text), key.hash if key else "0" * 64)
        if key is None or not same:
            raise AccessError("UNAUTHENTICATED", "the key is not one that is taken here")
        state = key.state(self._clock())
        if state != "active":
            raise AccessError("UNAUTHENTICATED", f"the key {key.id} is {state}", help="Ask for a new one.")
        return Caller(key.role, f"key {key.id}", key.rate, AccessRules.opened(key.scopes))

    def any(self) -> bool:
        self._look()
        return bool(self._keys)

    def all(self) -> list[ApiKey]:
        """Oldest first. Raises KEYS_FILE."""
        return list(self._read().values())

    # ---- to give and take

    def create(
        self,
        role: Role,
        name: str = "",
        expires: int | None = None,
        rate: Rate | None = None,
        scopes: Sequence[str] = (),
    ) -> tuple[ApiKey, str]:
        """The text is nowhere else: who loses it needs another key. Raises SCOPE_UNKNOWN, KEYS_FILE."""
        AccessRules.shipped().check_scopes(role, frozenset(scopes))
        with self._changing() as keys:
            return self._add(keys, role, name, expires, str(rate or ""), tuple(sorted(set(scopes))))

    def revoke(self, id: str) -> ApiKey:
        """Again is no error. Raises KEY_UNKNOWN, KEYS_FILE."""
        with self._changing() as keys:
            key = _found(keys, id)
            keys[id] = key if key.revoked else replace(key, revoked=self._clock())
            return keys[id]

    def rotate(self, id: str, overlap: int) -> tuple[ApiKey, str]:
        """A new key of the same role, name, rate, scopes and length of life; the old one ends after `overlap`
        microseconds, or when it would have. Raises KEY_UNKNOWN (also of one that is active no more), KEYS_FILE."""
        with self._changing() as keys:
            old, begun = _found(keys, id), self._clock()
            if old.state(begun) != "active":
                raise AccessError("KEY_UNKNOWN", f"the key {id} is {old.state(begun)}", help="Create a new one.")
            life = None if old.expires is None else old.expires - old.created
            made = self._add(keys, old.role, old.name, None if life is None else begun + life, old.limit, old.scopes)
            end = begun + overlap
            keys[id] = replace(old, expires=end if old.expires is None else min(old.expires, end))
            return made

    def _add(
        self,
        keys: dict[str, ApiKey],
        role: Role,
        name: str,
        expires: int | None,
        limit: str,
        scopes: tuple[str, ...],
    ) -> tuple[ApiKey, str]:
        id = secrets.token_hex(6)
        while id in keys:
            id = secrets.token_hex(6)
        text = f"{PREFIX}{id}_{secrets.token_hex(_SECRET_BYTES)}"
        key = keys[id] = ApiKey(id, role, name, self._clock(), expires, None, self._hash(text), limit, scopes)
        return key, text

    @contextmanager
    def _changing(self) -> Iterator[dict[str, ApiKey]]:
        """What is in the file, to change; written when all went well. One process at a time."""
        try:
            private_folder(self.path.parent)
            with open(self.path.with_name(self.path.name + ".lock"), "a", opener=private) as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                if not self._secret_path.exists() and not self.path.exists():
                    create_secret(self._secret_path, secrets.token_bytes(_SECRET_BYTES))
                self._secret = None
                keys = dict(self._read())
                yield keys
                document = {"version": _VERSION, "keys": [asdict(key) for key in keys.values()]}
                replace_secret(
                    self.path, orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
                )
                self._looked = float("-inf")
        except OSError as error:
            raise AccessError("KEYS_FILE", f"{error.filename or self.path}: {error.strerror}") from error

    # ---- the files

    def _look(self) -> None:
        """Read the file again where it has changed. Where that fails nobody is known any more."""
        with self._reading:
            if time.monotonic() - self._looked < FRESH:
                return
            try:
                seen: object = _stamp(self.path), _stamp(self._secret_path)
                if seen != self._seen:
                    self._keys, self._secret, self._seen = {}, None, None
                    self._keys = self._read()
                    self._seen = seen
            except OSError as error:
                self._keys, self._seen = {}, None
                raise AccessError("KEYS_FILE", f"{self.path}: {error.strerror}") from error
            self._looked = time.monotonic()

    def _read(self) -> Mapping[str, ApiKey]:
        try:
            content = read_secret(self.path)
        except OSError as error:
            raise AccessError("KEYS_FILE", f"{self.path}: {error.strerror}") from error
        if content is None:
            return {}
        try:
            document = orjson.loads(content)
            if document["version"] != _VERSION:
                raise ValueError
            keys = [_key(found) for found in document["keys"]]
        except (ValueError, KeyError, TypeError):
            raise AccessError("KEYS_FILE", f"{self.path} is not a file of keys") from None
        return {key.id: key for key in keys}

    def _hash(self, text: str) -> str:
        if self._secret is None:
            try:
                found = read_secret(self._secret_path)
            except OSError as error:
                raise AccessError("KEYS_FILE", f"{self._secret_path}: {error.strerror}") from error
            if found is None or len(found) != _SECRET_BYTES:
                raise AccessError("KEYS_FILE", f"{self._secret_path} is not a secret of {_SECRET_BYTES} bytes")
            self._secret = found
        return hmac.digest(self._secret, text.encode("utf-8", "surrogatepass"), sha256).hex()


def _stamp(path: Path) -> tuple[int, ...] | None:
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def _found(keys: Mapping[str, ApiKey], id: str) -> ApiKey:
    if id not in keys:
        raise AccessError("KEY_UNKNOWN", f"there is no key {id[:40]!r}")
    return keys[id]


def _key(found: Mapping[str, Any]) -> ApiKey:
    """Raises ValueError, KeyError, TypeError."""
    scopes = found.get("scopes", ())
    if not all(isinstance(scope, str) for scope in scopes):
        raise ValueError
    key = ApiKey(**{**found, "role": Role(found["role"]), "scopes": tuple(scopes)})
    times = (key.created, *(time for time in (key.expires, key.revoked) if time is not None))
    _ = key.rate
    if not all(isinstance(time, int) for time in times) or not re.fullmatch("[0-9a-f]{64}", key.hash):
        raise ValueError
    return key
