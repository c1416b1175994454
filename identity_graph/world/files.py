"""Five event files, written as the world turns: memory does not grow with JSONL and CSV, and little with Parquet."""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import orjson

CRM = "change_id contact_id email second_email phone first_name last_name city plan birthday updated_at"
LOYALTY = "entry_id card_number second_card email phone points tier store time"
ORDERS = "order_id customer_id email phone loyalty_card device_id amount currency items ordered_at"
NAMES = {
    "web": "web.jsonl",
    "app": "app.jsonl",
    "crm": "crm.csv",
    "orders": "orders.parquet",
    "loyalty": "loyalty.csv.gz",
}
_CHUNK = 32_768


class Files:
    """The five files of a folder, open for writing; `lines` counts what went into each.

    The bytes depend on what is written alone: no times or names in the gzip header, one row group a chunk.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        self.lines = dict.fromkeys(NAMES, 0)
        self._orders: list[Sequence[Any]] = []
        self._frames: list[Any] = []
        self._open = ExitStack()

    def __enter__(self) -> Self:
        self.folder.mkdir(parents=True, exist_ok=True)
        enter = self._open.enter_context
        self._jsonl = {
            name: enter((self.folder / NAMES[name]).open("wb", buffering=1 << 20)) for name in ("web", "app")
        }
        crm = enter((self.folder / NAMES["crm"]).open("w", encoding="utf-8", newline=""))
        packed = enter((self.folder / NAMES["loyalty"]).open("wb"))
        unpacked = enter(gzip.GzipFile(filename="", mode="wb", fileobj=packed, mtime=0, compresslevel=6))
        loyalty = enter(io.TextIOWrapper(unpacked, encoding="utf-8", newline=""))
        self._csv = {
            "crm": csv.writer(crm, lineterminator="\n"),
            "loyalty": csv.writer(loyalty, lineterminator="\n"),
        }
        self._csv["crm"].writerow(CRM.split())
        self._csv["loyalty"].writerow(LOYALTY.split())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.close()
        if error is None:
            self._write_orders()

    def message(self, name: str, message: dict[str, Any], times: int = 1) -> None:
        """A Segment message for `web` or `app`; `times` > 1 is a sender that tried again."""
        line = orjson.dumps(message, option=orjson.OPT_APPEND_NEWLINE)
        self._jsonl[name].write(line * times)
        self.lines[name] += times

    def row(self, name: str, row: Iterable[object]) -> None:
        """A row for `crm` or `loyalty`, in the order of the columns; None is an empty field."""
        self._csv[name].writerow(row)
        self.lines[name] += 1

    def order(self, row: Sequence[Any]) -> None:
        """In the order of the columns; `ordered_at` in microseconds since 1970."""
        self._orders.append(row)
        self.lines["orders"] += 1
        if len(self._orders) == _CHUNK:
            self._pack_orders()

    def _pack_orders(self) -> None:
        import polars as pl

        kinds = {name: pl.String() for name in ORDERS.split()} | {"amount": pl.Float64(), "items": pl.Int64()}
        schema: Any = kinds | {"ordered_at": pl.Int64()}
        frame = pl.DataFrame(self._orders, schema=schema, orient="row")
        self._frames.append(frame.with_columns(pl.col("ordered_at").cast(pl.Datetime("us", "UTC"))))
        self._orders.clear()

    def _write_orders(self) -> None:
        import polars as pl

        self._pack_orders()
        frame = pl.concat(self._frames, rechunk=True)
        frame.write_parquet(self.folder / NAMES["orders"], compression="zstd", row_group_size=_CHUNK)
