"""Where in a loader file something stands, so that an error names the line; and the checks of single values."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from identity_graph.errors import LoaderError
from identity_graph.loaders.path import Path


class Place:
    """Takes values out of a loader's tables. Keys are dotted: `event.time`, `csv.delimiter`."""

    def __init__(self, text: str, where: str) -> None:
        self.lines = text.splitlines()
        self.where = where

    def fail(self, code: str, key: str, what: str, help: str) -> LoaderError:
        line = self.line(key)
        place = f"{self.where}, line {line}" if line else self.where
        return LoaderError(code, f"{place}: {key}: {what}", help=help)

    def line(self, key: str) -> int | None:
        """The first line that sets the key in its own table, or else the line of the nearest part around it."""
        *sections, leaf = _parts(key)
        here: list[str] = []
        best: tuple[int, int] | None = None
        for number, line in enumerate(self.lines, 1):
            header = re.match(r"\s*\[\[?([^\]]+)\]\]?", line)
            setting = re.match(r"\s*((?:\"[^\"]*\"|[\w-]+)(?:\s*\.\s*(?:\"[^\"]*\"|[\w-]+))*)\s*=", line)
            if header:
                here = _parts(header[1])
                found = here
            elif setting:
                found = here + _parts(setting[1])
            else:
                continue
            # A key inside an inline table stands on the line of the table that holds it.
            wanted = [*sections, leaf]
            if wanted[: len(found)] == found and found and (best is None or len(found) > best[0]):
                best = (len(found), number)
        return best[1] if best else None

    def only(self, table: Mapping[str, Any], allowed: Sequence[str], section: str) -> None:
        for key in table:
            if key not in allowed:
                name = f"{section}.{key}" if section else key
                raise self.fail("LOADER_KEY", name, "no such key", f"Known: {', '.join(allowed)}.")

    def table(self, table: Mapping[str, Any], key: str, section: str) -> Mapping[str, Any]:
        value = table.get(key, {})
        name = f"{section}.{key}" if section else key
        if not isinstance(value, dict):
            raise self.fail("LOADER_VALUE", name, f"{value!r} is not a table", f"Write [{name}] or {key} = {{ ... }}.")
        return value

    def tables(self, table: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
        value = table.get(key, [])
        if not isinstance(value, list) or not all(isinstance(entry, dict) for entry in value):
            raise self.fail("LOADER_VALUE", key, "is not a list of tables", f"Write [[{key}]].")
        return value

    def text(
        self,
        table: Mapping[str, Any],
        key: str,
        section: str,
        *,
        default: str | None = None,
        choice: Sequence[str] = (),
        longest: int = 4096,
    ) -> str:
        name = f"{section}.{key}" if section else key
        if key not in table:
            if default is None:
                raise self.fail("LOADER_VALUE", name, "left out", f'Write {key} = "...".')
            return default
        value = table[key]
        if not isinstance(value, str) or not 0 < len(value) <= longest or "\0" in value:
            raise self.fail("LOADER_VALUE", name, f"{value!r}", f"Allowed: a text of 1 to {longest} characters.")
        if choice and value not in choice:
            raise self.fail("LOADER_VALUE", name, f"{value!r}", f"Allowed: {', '.join(choice)}.")
        return value

    def truth(self, table: Mapping[str, Any], key: str, section: str, *, default: bool) -> bool:
        value = table.get(key, default)
        if not isinstance(value, bool):
            raise self.fail("LOADER_VALUE", f"{section}.{key}", f"{value!r}", "Allowed: true, false.")
        return value

    def names(self, table: Mapping[str, Any], key: str, section: str) -> tuple[str, ...]:
        """Different texts, none of them empty; nothing where the key is left out."""
        value = table.get(key, [])
        good = isinstance(value, list) and all(isinstance(name, str) and name.strip() for name in value)
        if not good or len(set(value)) < len(value) or (key in table and not value):
            help = "Allowed: a list of texts, each once."
            raise self.fail("LOADER_VALUE", f"{section}.{key}", "is not a list of names", help)
        return tuple(value)

    def path(self, text: Any, key: str, *, fan: bool = False, root: bool = False) -> Path:
        if not isinstance(text, str):
            raise self.fail("LOADER_VALUE", key, f"{text!r} is not a path", 'A path is a text such as "context.ip".')
        try:
            path = Path.parse(text)
        except ValueError as error:
            help = "Write keys with dots between them, [] after a list, and quotes around a key with a dot."
            raise self.fail("LOADER_VALUE", key, f"{text!r}: {error}", help) from error
        if path.fans and not fan:
            raise self.fail("LOADER_VALUE", key, f"{text!r} fans out", "Here one value is wanted: no [] in the path.")
        if not path.steps and not root:
            raise self.fail("LOADER_VALUE", key, 'takes "."', "Only the properties take the whole record.")
        return path

    def paths(
        self,
        table: Mapping[str, Any],
        key: str,
        section: str,
        *,
        fan: bool | None = None,
        root: bool = False,
        one: bool = False,
        required: bool = False,
    ) -> tuple[Path, ...]:
        """A path or a list of them; nothing where the key is left out, unless one is wanted."""
        name = f"{section}.{key}" if section else key
        value = table.get(key, [])
        texts = value if isinstance(value, list) else [value]
        if one and (len(texts) != 1 or isinstance(value, list)):
            raise self.fail("LOADER_VALUE", name, "is not one path", 'A path is a text such as "context.ip".')
        if required and not texts:
            raise self.fail("LOADER_VALUE", name, "names no path", 'A path is a text such as "context.ip".')
        may_fan = section == "identifiers" and key != "*" if fan is None else fan
        return tuple(self.path(text, name, fan=may_fan, root=root) for text in texts)


def _parts(key: str) -> list[str]:
    return [quoted or plain.strip() for quoted, plain in re.findall(r'"([^"]*)"|([^."]+)', key)]
