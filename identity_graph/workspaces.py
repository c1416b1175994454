"""Workspaces of one service: a TOML file with a table for each, that says what it has for itself."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from identity_graph.errors import SettingError
from identity_graph.settings import Settings

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")
_FILES = ("policy", "keys", "signing_key", "audit", "erased", "destinations")
_TEXTS = ("store", "jwt_keys", "jwt_issuer", "jwt_audience", "jwt_role_claim", "jwt_factors")
_NUMBERS = ("quarantine_days", "quarantine_bytes", "jwt_leeway")
# Secrets stand in the environment, and the file names the variable.
_VARIABLES = ("store_env", "write_keys_env", "tombstone_key_env")
_NONE = ""
"""A variable that nobody can set."""


class Workspace(NamedTuple):
    """The settings of the service, with its own in the place of those that are about a store and who may use it;
    `tombstone_key` is the variable that may have that key."""

    name: str
    settings: Settings
    tombstone_key: str


def read_workspaces(path: Path, service: Settings) -> list[Workspace]:
    """In the order of the file; its own paths begin at its folder. Raises WORKSPACES_INVALID, also where two of them
    would share what each has for itself."""
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingError("WORKSPACES_INVALID", f"{path}: {error}") from error
    if not tables:
        raise SettingError("WORKSPACES_INVALID", f"{path}: there is no workspace: write a line [NAME] first")
    found = [_workspace(name, table, path.parent, service) for name, table in tables.items()]
    for what, of in _OWN.items():
        seen: dict[object, str] = {}
        for one in found:
            for own in of(one):
                if seen.setdefault(own, one.name) != one.name:
                    raise _wrong(one.name, f"it has the same {what} as {seen[own]}")
    return found


def _workspace(name: str, table: Any, folder: Path, service: Settings) -> Workspace:
    if not isinstance(table, Mapping):
        raise _wrong(name, "it is not a table: write a line [NAME] first")
    if not _NAME.fullmatch(name):
        raise _wrong(name, "its name is not 1 to 63 characters of a-z, 0-9, _ and -, with a letter or digit first")
    known = (*_TEXTS, *_FILES, *_NUMBERS, *_VARIABLES)
    for key, value in table.items():
        kind: type = int if key in _NUMBERS else str
        if key not in known:
            raise _wrong(name, f"there is no key {key!r}; there are {', '.join(known)}")
        if type(value) is not kind or value == "" or (isinstance(value, int) and value < 0):
            raise _wrong(name, f"{key} must be of the type {kind.__name__}")
    if ("store" in table) == ("store_env" in table):
        raise _wrong(name, "give it either a store or a store_env")
    if not table.keys() & {"keys", "jwt_keys"}:
        raise _wrong(name, "nobody could be let in: give it keys, or jwt_keys")
    own = {key: folder / table[key] if key in table else None for key in _FILES}
    texts = {key: table.get(key, Settings.model_fields[key].default) for key in (*_TEXTS, *_NUMBERS)}
    texts["store"] = table["store"] if "store" in table else _variable(name, table["store_env"])
    write_keys = _variable(name, table["write_keys_env"]) if "write_keys_env" in table else ""
    # The key of the command line is of no use to a server.
    update = {**own, **texts, "write_keys": write_keys, "key": None, "tombstone_key": None}
    return Workspace(name, service.model_copy(update=update), table.get("tombstone_key_env", _NONE))


def _variable(name: str, variable: str) -> str:
    found = os.environ.get(variable)
    if not found:
        raise _wrong(name, f"the variable {variable} is not in the environment")
    return found


def _store(one: Workspace) -> Iterator[object]:
    scheme, _, rest = one.settings.store.partition(":///")
    yield os.path.realpath(rest) if scheme == "sqlite" else one.settings.store


def _path(field: str) -> Callable[[Workspace], Iterator[object]]:
    def of(one: Workspace) -> Iterator[object]:
        found = getattr(one.settings, field)
        if found:
            yield os.path.realpath(found)

    return of


def _audit(one: Workspace) -> Iterator[object]:
    settings = one.settings
    found = settings.audit or (settings.keys and settings.keys.with_name("audit.jsonl"))
    if found:
        yield os.path.realpath(found)


def _write_keys(one: Workspace) -> Iterator[object]:
    for entry in re.split(r"[,\s]+", one.settings.write_keys.strip()):
        if key := entry.partition("=")[0]:
            yield key


def _tombstone_key(one: Workspace) -> Iterator[object]:
    if found := os.environ.get(one.tombstone_key):
        yield found.lower()


def _issuer(one: Workspace) -> Iterator[object]:
    if one.settings.jwt_keys:
        yield one.settings.jwt_issuer, one.settings.jwt_audience


_OWN: Mapping[str, Callable[[Workspace], Iterator[object]]] = {
    "store": _store,
    "keys": _path("keys"),
    "audit log (name another by audit)": _audit,
    "register of what was erased": _path("erased"),
    "destinations": _path("destinations"),
    "write key": _write_keys,
    "key of tombstones": _tombstone_key,
    "issuer and audience of tokens": _issuer,
}
"""What two must not share, and would be one workspace by."""


def _wrong(name: str, why: str) -> SettingError:
    return SettingError("WORKSPACES_INVALID", f"workspace {name[:100]}: {why}")
