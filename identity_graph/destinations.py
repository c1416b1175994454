"""Where segments are delivered to: a TOML file with a table for each destination."""

from __future__ import annotations

import base64
import binascii
import os
import secrets
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from identity_graph.audience import Platform
from identity_graph.errors import SettingError
from identity_graph.secret_file import create_secret, read_secret

FORMATS = (".csv", ".jsonl", ".parquet")
SECRET = "whsec_"  # as Standard Webhooks writes secrets: this, and the key in base64
_KEYS = {
    "segment": str,
    "file": str,
    "audience": str,
    "url": str,
    "secret_env": str,
    "secret_file": str,
    "identifiers": list,
    "traits": list,
    "attempts": int,
    "first_wait": float,
    "timeout": float,
    "on_publication": bool,
    "purpose": str,
}


@dataclass(frozen=True, slots=True)
class Destination:
    """A file or a webhook, and what of each member it gets beside the person's id.

    Where it names a `purpose` of the policy, it gets those members alone who may be used for it.
    A message is tried `attempts` times: after `first_wait` seconds again, after that twice as long, and so on.
    """

    name: str
    segment: str
    file: Path | None = None
    audience: Platform | None = None
    url: str = ""
    secret_env: str = ""
    secret_file: Path | None = None
    identifiers: tuple[str, ...] = ()
    traits: tuple[str, ...] = ()
    attempts: int = 10
    first_wait: float = 1.0
    timeout: float = 10.0
    on_publication: bool = True
    purpose: str = ""

    @property
    def place(self) -> str:
        """For people to read. The path of a URL may hold a secret, so it is left out."""
        return str(self.file) if self.file else "{0.scheme}://{0.netloc}".format(urlsplit(self.url))

    def secret(self) -> bytes:
        """The key that signs; its file is made where there is none. Raises DESTINATION_INVALID, without the secret."""
        if self.secret_file is not None:
            try:
                content = read_secret(self.secret_file)
                if content is None:
                    create_secret(self.secret_file, new_secret())
                    content = read_secret(self.secret_file) or b""
            except OSError as error:
                raise _wrong(self.name, f"{self.secret_file}: {error.strerror}") from error
            return self._key(content.decode("ascii", "replace").strip(), str(self.secret_file))
        return self._key(os.environ.get(self.secret_env, ""), self.secret_env)

    def _key(self, text: str, place: str) -> bytes:
        try:
            key = base64.b64decode(text.removeprefix(SECRET), validate=True)
        except (binascii.Error, ValueError):
            key = b""
        if not text.startswith(SECRET) or not 24 <= len(key) <= 64:
            raise _wrong(self.name, f"{place} holds no secret: {SECRET} and 24 to 64 bytes in base64")
        return key


def new_secret() -> bytes:
    return SECRET.encode() + base64.b64encode(secrets.token_bytes(32)) + b"\n"


def read_destinations(path: Path) -> dict[str, Destination]:
    """By name, in the order of the file; its own paths begin at its folder. Raises DESTINATION_INVALID."""
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise SettingError("DESTINATION_INVALID", f"{path}: {error}") from error
    except tomllib.TOMLDecodeError as error:
        raise SettingError(
            "DESTINATION_INVALID", f"{path}: {error}", help="Correct the line as TOML wants it."
        ) from None
    return {name: _destination(name, table, path.parent) for name, table in tables.items()}


def check_file(name: str, file: Path, audience: Platform | None) -> None:
    """Raises DESTINATION_INVALID where the ending is not that of a format."""
    allowed = FORMATS[:1] if audience else FORMATS
    if file.suffix.lower() not in allowed:
        kinds = " or ".join(allowed)
        raise _wrong(name, f"the name of {file.name} must end in {kinds}{', as it is an audience' if audience else ''}")


def _destination(name: str, table: Any, folder: Path) -> Destination:
    if not isinstance(table, Mapping):
        raise _wrong(name, "it is not a table: write a line [NAME] first")
    for key, value in table.items():
        kind = _KEYS.get(key)
        if kind is None:
            raise _wrong(name, f"there is no key {key!r}; there are {', '.join(_KEYS)}")
        right = isinstance(value, kind) or (kind is float and type(value) is int)
        if not right or (kind is int and type(value) is bool):
            raise _wrong(name, f"{key} must be of the type {kind.__name__}")
        if kind is list and not all(isinstance(one, str) for one in value):
            raise _wrong(name, f"{key} must be a list of texts")
    if not table.get("segment"):
        raise _wrong(name, "it names no segment")
    if bool(table.get("file")) == bool(table.get("url")):
        raise _wrong(name, "give it either a file or a url")
    given = dict(table)
    for key in ("file", "secret_file"):
        if key in given:
            given[key] = folder / given[key]
    for key in ("identifiers", "traits"):
        if key in given:
            given[key] = tuple(given[key])
    if "audience" in given:
        if given["audience"] not in list(Platform):
            raise _wrong(name, f"audience is one of {', '.join(Platform)}")
        given["audience"] = Platform(given["audience"])
    found = Destination(name, **given)
    _check(found)
    return found


def _check(found: Destination) -> None:
    if found.file:
        check_file(found.name, found.file, found.audience)
    elif found.audience:
        raise _wrong(found.name, "an audience is a file")
    elif bool(found.secret_env) == bool(found.secret_file):
        raise _wrong(found.name, "a url needs the secret that signs: secret_file or secret_env")
    else:
        check_url(found.name, found.url)
    if not 1 <= found.attempts <= 100 or not 0 < found.first_wait <= 3600 or not 0 < found.timeout <= 60:
        raise _wrong(found.name, "attempts are 1 to 100, first_wait is up to 3600 and timeout up to 60 seconds")


def check_url(name: str, url: str) -> None:
    """Raises DESTINATION_INVALID."""
    try:
        parts = urlsplit(url)
        right = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        right = False
    if not right or not url.isascii() or not url.isprintable() or " " in url:
        raise _wrong(name, "its url is not one of http or https")
    if parts.username is not None or parts.password is not None:
        raise _wrong(name, "its url holds a user or a password, which would be shown: messages are signed instead")


def _wrong(name: str, why: str) -> SettingError:
    return SettingError("DESTINATION_INVALID", f"destination {name}: {why}")
