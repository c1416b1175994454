"""The files that a name on the command line stands for."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from identity_graph.errors import InputError
from identity_graph.records.source import ENDINGS, Form


class Named(NamedTuple):
    """`files` to load; `found`: they were not named one by one, but found by a folder or a pattern; `others` of the
    folder are of another form."""

    files: list[str]
    found: bool = False
    others: Sequence[str] = ()


def named_files(name: str, form: Form) -> Named:
    """Itself; of a folder its files of records of this form, however deep and in order, without what begins with `.`
    or `_` (so do the marks that Spark and Hive leave); of a pattern that no shell took (`'2025-*/*.csv'`, `**`) the
    files like it.

    Raises SOURCE_MISSING where there is none.
    """
    path = Path(name)
    if name == "-" or (path.exists() and not path.is_dir()):
        return Named([name])
    others: list[str] = []
    if path.is_dir():
        inside = [found for found in sorted(path.rglob("*")) if found.is_file() and _shown(found.relative_to(path))]
        # Lines of a pattern are in files of any name (access.log.1, access_log) that does not say another format.
        wanted = {form.format} if form.format else {*ENDINGS.values()}
        said = [(str(found), ENDINGS.get(_ending(found), "lines")) for found in inside]
        files = [file for file, format in said if format in wanted]
        others = [file for file, format in said if format not in wanted]
        which = "each" if form.format == "lines" else "no"
        endings = ", ".join(ending for ending, format in ENDINGS.items() if form.format in (None, "lines", format))
        why = f"{name}: {which} file in this folder ends in {endings}, or one of them and .gz"
    else:
        files = sorted(str(found) for found in _like(path) if found.is_file())
        why = f"{name}: no such file"
    if not files:
        raise InputError("SOURCE_MISSING", why, help="Nothing was loaded; correct the name.")
    return Named(files, True, others)


def _like(pattern: Path) -> list[Path]:
    try:
        return list(Path(pattern.anchor).glob(str(pattern.relative_to(pattern.anchor))))
    except ValueError:  # `**` beside something else
        return []


def _shown(path: Path) -> bool:
    return not any(part.startswith((".", "_")) for part in path.parts)


def _ending(path: Path) -> str:
    endings = [ending.lower() for ending in path.suffixes if ending.lower() != ".gz"]
    return endings[-1] if endings else ""
