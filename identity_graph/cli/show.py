"""How results look: JSON for programs, aligned columns for people."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from identity_graph.legible import legible
from identity_graph.model import LinkKind
from identity_graph.times import format_time

if TYPE_CHECKING:
    from rich.console import Console

    from identity_graph.model import Event, Identifier, Link

FIRST = 3
"""Events of a link, the oldest, that are named."""

WIDE = 1000
"""Columns: a table is never cut or folded, whatever the terminal's width."""


def as_json(value: Any) -> str:
    import orjson

    return orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_NON_STR_KEYS).decode()


def console(*, error: bool = False, width: int | None = None) -> Console:
    """Standard output (or error). What is not a terminal gets plain text."""
    from rich.console import Console

    stream = sys.stderr if error else sys.stdout
    return Console(file=stream, highlight=False, markup=False, emoji=False, soft_wrap=True, width=width)


def print_table(header: Sequence[str], rows: Iterable[Sequence[Any]], *, total: Sequence[Any] | None = None) -> None:
    """Columns two spaces apart; numbers to the right, with thousands marked."""
    from rich.table import Table

    rows = [list(row) for row in rows]
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold", show_footer=total is not None)
    for number, title in enumerate(header):
        values = [row[number] for row in rows] + ([total[number]] if total else [])
        right = bool(values) and all(value is None or isinstance(value, int | float) for value in values)
        foot = text(total[number]) if total else ""
        table.add_column(title, justify="right" if right else "left", footer=foot, no_wrap=True, footer_style="bold")
    for row in rows:
        table.add_row(*[text(value) for value in row])
    screen = console(width=WIDE)
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
    return legible(str(value))


def print_path(start: Identifier, path: Sequence[Link], evidence: Sequence[Sequence[Event]] | None = None) -> None:
    """The way from one identifier to another, a row a step; with `evidence`, when and by which events it was seen."""
    header = ["identifier", "weight", "events", "sources"]
    header += [] if evidence is None else ["first seen", "last seen", "event ids"]
    rows: list[list[Any]] = [[start.key, *[None] * len(header)]]
    for step, link in enumerate(path):
        start = link.b if link.a == start else link.a
        words = [link.suppressed.message] if link.suppressed else []
        if link.shared:
            words.insert(0, f"similar: both were seen with {', '.join(one.key for one in link.shared)}")
        row: list[Any] = [start.key, link.weight, link.count, ", ".join(link.sources)]
        if evidence is not None:
            seen = link.count or link.kind in (LinkKind.MUST, LinkKind.CANNOT)
            row += [format_time(time) if seen else None for time in (link.first_seen, link.last_seen)]
            row.append(_ids(evidence[step]))
        rows.append([*row, "; ".join(words)])
    print_table([*header, ""], rows)


def _ids(events: Sequence[Event]) -> str:
    more = f" and {len(events) - FIRST:,} more" if len(events) > FIRST else ""
    return ", ".join(event.id for event in events[:FIRST]) + more


def heading(title: str, about: str) -> None:
    """A line above what follows, bold on a terminal."""
    screen = console()
    screen.print()
    screen.print(title, style="bold cyan", end="  ")
    screen.print(about, style="dim")
    screen.print()


@contextmanager
def progress(name: str, what: str) -> Iterator[Callable[..., Any] | None]:
    """A bar on a terminal, nothing elsewhere. Hears how much is done, of how much if that is known, and a count of
    `what`."""
    screen = console(error=True)
    if not screen.is_terminal:
        yield None
        return
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[count]:,} {task.fields[what]}"))
    with Progress(*columns, TimeRemainingColumn(), console=screen, transient=True) as bar:
        task = bar.add_task(name, total=None, count=0, what=what)

        def hear(done: int, total: int | None, count: int) -> None:
            bar.update(task, completed=done, total=total, count=count)

        yield hear
