"""The files that a name on the command line stands for."""

from __future__ import annotations

from pathlib import Path

from identity_graph.errors import InputError
from identity_graph.records.source import ENDINGS


def named_files(name: str) -> list[str]:
    """Itself; of a folder its files of records, however deep and in order, without what begins with `.` or `_` (so do
    the marks that Spark and Hive leave); of a pattern that no shell took (`'2025-*/*.csv'`, `**`) the files like it.

    Raises SOURCE_MISSING where there is none.
    """
    path = Path(name)
    if name == "-" or (path.exists() and not path.is_dir()):
        return [name]
    if path.is_dir():
        inside = (found for found in sorted(path.rglob("*")) if found.is_file() and _shown(found.relative_to(path)))
        files = [str(found) for found in inside if _ending(found) in ENDINGS]
        why = f"{name}: no file in this folder ends in {', '.join(ENDINGS)}, or one of them and .gz"
    else:
        files = sorted(str(found) for found in _like(path) if found.is_file())
        why = f"{name}: no such file"
    if not files:
        raise InputError("SOURCE_MISSING", why, help="Nothing was loaded; correct the name.")
    return files


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
