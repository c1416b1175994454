"""A table whose last line was cut off: half a row is nobody's, and the whole one comes in later."""

from __future__ import annotations

import gzip
import io
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from identity_graph.ingest import steps
from identity_graph.loaders import parse_loader, read_loader
from identity_graph.store import open_store
from identity_graph.store.protocols import Store
from tests.conftest import Clock
from tests.story.ingesting import counts, ingest_into, quarantine, state, write

TEXT = (
    'source = "x"\nformat = "csv"\n[event]\nid = "id"\ntime = "t"\nname = { value = "Seen" }\n'
    '[identifiers]\nuser_id = "uid"\nemail = "email"\n[properties]\n"*" = "."\n'
)
LOADER = parse_loader(TEXT)
ROWS = 2_000
LAST = "2001,2026-01-01,u2001,last,p2001@example.org"
WHOLE = (
    "id,t,uid,note,email\n"
    + "".join(f"{n},2025-06-01,u{n},{'x' * (n % 40)},p{n}@example.org\n" for n in range(ROWS))
    + LAST
)
CUTS = [WHOLE.index(LAST) + LAST.index(end) for end in ("01,2", "2026-", "001,last", "last", ",p2001")]
"""Where half of the last row stands: in each field but the last, in which nothing tells."""


@pytest.fixture
def store() -> Store:
    return open_store("sqlite:///:memory:")


Way = Callable[[Path, bytes, pytest.MonkeyPatch], Path | str]


def plain(folder: Path, content: bytes, _: pytest.MonkeyPatch) -> Path:
    return write(folder / "x.csv", content)


def packed(folder: Path, content: bytes, _: pytest.MonkeyPatch) -> Path:
    return write(folder / "x.csv.gz", gzip.compress(content))


def typed(_: Path, content: bytes, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))
    return "-"


@pytest.mark.parametrize("processes", [0, 2])
@pytest.mark.parametrize("way", [plain, packed, typed])
@pytest.mark.parametrize("cut", [CUTS[0], CUTS[2], CUTS[4]])
def test_the_whole_table_comes_later(
    way: Way, processes: int, cut: int, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(steps, "BLOCK", 20_000)

    def load(into: Store, content: str) -> tuple[int, ...]:
        source = way(tmp_path, content.encode(), monkeypatch)
        return counts(ingest_into(into, Clock()).load(LOADER, source, processes=processes, time=0))

    assert load(store, WHOLE[:cut]) == (ROWS + 1, ROWS, 0, 1, 0)
    (aside,) = quarantine(store)
    half = WHOLE[:cut].rpartition("\n")
    assert (aside.code, aside.line, aside.offset) == ("ROW_CUT", ROWS + 2, len(half[0]) + 1)
    assert aside.record.decode() == f"id,t,uid,note,email\n{half[2]}"
    assert counts(ingest_into(store, Clock()).replay()) == (1, 0, 0, 1, 0), (
        "half a row is not mended by reading it once more"
    )
    assert [one.code for one in quarantine(store)] == ["ROW_CUT"]
    assert load(store, WHOLE) == (ROWS + 1, 1, ROWS, 0, 0)
    clean = open_store("sqlite:///:memory:")
    load(clean, WHOLE)
    assert state(store) == state(clean)


@pytest.mark.parametrize("cut", CUTS)
def test_a_load_that_goes_on_says_the_same(cut: int, store: Store, tmp_path: Path) -> None:
    class Stop(BaseException):
        pass

    def stop(*_: object) -> None:
        raise Stop

    path = write(tmp_path / "x.csv", WHOLE[:cut].encode())
    ingest = ingest_into(store, Clock())
    with pytest.raises(Stop):
        ingest.load(LOADER, path, batch=ROWS, progress=stop)
    assert counts(ingest.load(LOADER, path, batch=ROWS)) == (ROWS + 1, ROWS, 0, 1, 0)
    assert [one.code for one in quarantine(store)] == ["ROW_CUT"]


def test_what_is_whole_is_taken(store: Store, tmp_path: Path) -> None:
    """A short row that ends as a line does, and a last one without a line's end that has all of its fields."""
    path = write(tmp_path / "x.csv", b"id,t,uid,note,email\n1,2026-01-01,u\n2,2026-01-01,u,,")
    assert counts(ingest_into(store, Clock()).load(LOADER, path)) == (2, 2, 0, 0, 0)


def test_a_short_row_that_was_refused_can_be_replayed(store: Store, tmp_path: Path) -> None:
    """It was whole, though what is kept of it has no line's end."""
    loader = tmp_path / "x.toml"
    loader.write_text(TEXT.replace('"t"', '"t"\ntime_format = "%Y/%m/%d"'))
    ingest = ingest_into(store, Clock())
    ingest.load(read_loader(loader), write(tmp_path / "x.csv", b"id,t,uid,note,email\n1,2026-01-01,u\n"))
    assert [one.code for one in quarantine(store)] == ["TS_FORMAT"]
    loader.write_text(TEXT)
    assert counts(ingest.replay()) == (1, 1, 0, 0, 0) and not quarantine(store)
