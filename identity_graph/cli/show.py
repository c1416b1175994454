"""How results look: JSON for programs, aligned columns for people."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table


def as_json(value: Any) -> str:
    import orjson

    return orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_NON_STR_KEYS).decode()


def console(*, error: bool = False) -> Console:
    """Standard output (or error). What is not a terminal gets plain text, never cut or wrapped."""
    stream = sys.stderr if error else sys.stdout
    return Console(
        file=stream,
        highlight=False,
        markup=False,
        emoji=False,
        soft_wrap=True,
        width=None if stream.isatty() else 200,
        color_system="auto" if stream.isatty() else None,
    )


def print_table(header: Sequence[str], rows: Iterable[Sequence[Any]], *, total: Sequence[Any] | None = None) -> None:
    """Columns two spaces apart; numbers to the right, with thousands marked."""
    rows = [list(row) for row in rows]
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold", show_footer=total is not None)
    for number, title in enumerate(header):
        values = [row[number] for row in rows] + ([total[number]] if total else [])
        right = bool(values) and all(isinstance(value, int | float) for value in values)
        foot = text(total[number]) if total else ""
        table.add_column(title, justify="right" if right else "left", footer=foot, no_wrap=True, footer_style="bold")
    for row in rows:
        table.add_row(*[text(value) for value in row])
    screen = console()
    with screen.capture() as drawn:
        screen.print(table)
    for line in drawn.get().splitlines():
        print(line.rstrip())


def text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:.2f}"
    return str(value)
