"""Files that several processes map: the same outcome as one, whatever becomes of the others."""

from __future__ import annotations

import gc
import gzip
import os
import signal
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import accumulate
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from identity_graph.errors import InputError
from identity_graph.event_table import EventTable
from identity_graph.ingest import steps
from identity_graph.ingest.block import Mapped, map_piece
from identity_graph.ingest.crew import Crew
from identity_graph.loaders import Loader, parse_loader, read_loader
from identity_graph.model import Run, RunState
from identity_graph.records import parquet
from identity_graph.records.reader import Lines, Reader
from identity_graph.store import open_store
from identity_graph.store.protocols import Store
from identity_graph.times import parse_time
from identity_graph.wire import read_frame
from tests.conftest import Clock, soon
from tests.story.ingesting import EVENTS, counts, ingest_into, jsonl, native, quarantine, state, write

PATIENCE = 120.0  # seconds


class Stop(BaseException):
    pass


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """So that a small file has many; and whatever a test does, no process is left but those that were there before."""
    monkeypatch.setattr(steps, "BLOCK", 20_000)
    before = children()
    yield before
    assert set(children()) <= set(before)


def children() -> list[int]:
    """Processes of this one that live and map blocks; it may have others, that watch over a server for instance."""
    found = [path.read_text() for path in Path("/proc/self/task").glob("*/children")]
    return [int(pid) for text in found for pid in text.split() if maps(int(pid))]


def maps(pid: int) -> bool:
    try:
        return b"identity_graph.ingest.worker" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:  # it has just ended
        return False


@pytest.fixture
def ready(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """Set when a process that maps has said its first word: it runs, and can be asked."""
    said = threading.Event()

    def heard(pipe: Any) -> Any:
        frame = read_frame(pipe)
        said.set()
        return frame

    monkeypatch.setattr("identity_graph.ingest.crew.read_frame", heard)
    return said


def content(records: int = 4000) -> bytes:
    lines: list[Any] = []
    for number in range(records):
        lines += [native(number, note="x" * (number % 50))]
        lines += [b"", b"nonsense\r", native(number // 2)] if number % 97 == 0 else []
        lines += [native(number, identifiers={"email": "nobody at home"})] if number % 41 == 0 else []
    lines[300:300] = [b'{"a": "' + b"x" * (2 << 20) + b'"}']
    return b"\xef\xbb\xbf" + jsonl(*lines).rstrip()


def outcome(
    path: Path, processes: int, loader: Loader = EVENTS, **options: Any
) -> tuple[Run, list[bytes], list[tuple[Any, ...]]]:
    store = open_store("sqlite:///:memory:")
    run = ingest_into(store, Clock()).load(loader, path, processes=processes, **options)
    found = run, state(store), aside(store)
    store.close()
    return found


def aside(store: Store) -> list[tuple[Any, ...]]:
    return sorted((q.line, q.offset, q.code, q.message, q.record) for q in quarantine(store))


@pytest.mark.parametrize("processes", [1, 3])
@pytest.mark.parametrize("packed", [False, True])
def test_as_one_process_would(tmp_path: Path, processes: int, packed: bool) -> None:
    path = write(tmp_path / "e.jsonl", gzip.compress(content()) if packed else content())
    alone = outcome(path, 0)
    assert counts(alone[0])[3] > 100
    assert outcome(path, processes) == alone


@pytest.mark.parametrize(("storing", "own"), [(2.0, "a"), (0.5, "acd")])
def test_who_stores_maps_no_other_piece_while_a_process_keeps_up(
    storing: float, own: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To map one takes a second. The process is there once the first one is stored, and begins the second one."""
    clock, hired, go = Clock(), threading.Event(), threading.Event()
    asked: list[str] = []
    mapped: list[str] = []

    class Watched(Crew):
        def _begin(self) -> None:
            assert hired.wait(PATIENCE)

        def _ask(self, piece: Any) -> Mapped:
            asked.append(piece)
            assert go.wait(PATIENCE)
            return one

        def _map(self, piece: Any) -> Mapped:
            mapped.append(piece)
            clock.now += 1_000
            return one

    one = Mapped(EventTable.of([]), [0], [])
    monkeypatch.setattr("identity_graph.ingest.crew.perf_counter", lambda: clock.now / 1_000)
    with Watched(EVENTS, None, clock, 1) as crew:
        pieces: Iterator[Any] = iter("abcd")
        steps = crew.steps(pieces)
        assert str(next(steps)[0]) == "a"
        hired.set()
        soon(lambda: asked == ["b"])
        clock.now += int(1_000 * storing)
        threading.Timer(0.2, go.set).start()
        assert "".join(str(piece) for piece, _ in steps) == "bcd"
    assert "".join(mapped) == own and "".join(asked) == "".join(sorted(set("abcd") - set(own)))


def test_a_loader_without_a_file(tmp_path: Path) -> None:
    loader = parse_loader('source = "x"\n[event]\nname = "name"\n[identifiers]\n"*" = "identifiers"\n')
    path = write(tmp_path / "e.jsonl", content(500))
    assert outcome(path, 2, loader) == outcome(path, 0, loader)


def test_a_loader_of_python(tmp_path: Path) -> None:
    """What a process of its own could not know is done here."""

    class Shouting(Loader):
        def event(self, record: Any, **options: Any) -> Any:
            return super().event(record | {"name": record.get("name", "").upper()}, **options)

    path = write(tmp_path / "e.jsonl", content(500))
    _, lines, _ = outcome(path, 2, Shouting(EVENTS.file))
    assert b'"SEEN"' in lines[0]


def test_records_without_a_time(tmp_path: Path) -> None:
    path = write(tmp_path / "e.jsonl", jsonl(*(native(number, time=None) for number in range(1000))))
    moment = parse_time("2024-02-29")
    assert outcome(path, 2, time=moment) == outcome(path, 0, time=moment)


def test_the_processes_are_killed_on_the_way(tmp_path: Path, ready: threading.Event) -> None:
    """Then this one does their work: the outcome is the same."""
    path = write(tmp_path / "e.jsonl", content())
    killed: list[int] = []

    def kill(*_: object) -> None:
        assert ready.wait(PATIENCE)
        for child in children():
            killed.append(child)
            os.kill(child, signal.SIGKILL)

    assert outcome(path, 2, progress=kill) == outcome(path, 0)
    assert killed


def test_no_process_can_be_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "no-python"))
    path = write(tmp_path / "e.jsonl", content(500))
    assert outcome(path, 2) == outcome(path, 0)


def test_the_processes_do_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a file of many blocks most are mapped elsewhere, where this process has other things to do for so long."""
    path = write(tmp_path / "e.jsonl", content())
    here: list[object] = []
    real = map_piece

    def counted(*arguments: Any) -> Any:
        here.append(arguments)
        return real(*arguments)

    monkeypatch.setattr("identity_graph.ingest.crew.map_piece", counted)

    crews: list[Crew] = []
    blocks = 0
    taken = Crew.steps

    def counted_steps(crew: Crew, pieces: Any) -> Any:
        nonlocal blocks
        crews.append(crew)
        for step in taken(crew, pieces):
            blocks += 1
            yield step

    monkeypatch.setattr(Crew, "steps", counted_steps)

    def busy(*_: object) -> None:
        crews[0]._threads.submit(int).result(PATIENCE)  # the last in the queue of the only other process

    outcome(path, 1, progress=busy)
    assert blocks > 20 and len(here) < blocks / 2, (len(here), blocks)


def test_a_process_holds_no_more_the_more_bad_records_it_mapped() -> None:
    """None of them is like another one. A process runs without a collector of cycles."""
    loader, count, held = read_loader("segment"), 1024, []

    def bad(number: int) -> Any:
        traits = {"email": f"nobody at home {number}"} if number % 2 else {}
        time = "2025-06-01T00:00:00Z" if number % 4 else "never"
        names = {"userId": f"u{number}", "anonymousId": f"a{number}", "messageId": f"m{number}"}
        event = {"type": "track", "event": "Seen", "timestamp": time, "context": {"traits": traits}} | names
        return b"nonsense" if number % 4 == 2 else event

    gc.collect()
    gc.disable()
    try:
        for start in range(0, 30 * count, count):
            piece = Lines((1, 0, 0, jsonl(*map(bad, range(start, start + count))).rstrip()))
            assert len(map_piece(loader, piece, Clock().now, 0).refused) == count
            held.append(len(gc.get_objects()))
    finally:
        gc.enable()
    assert max(held[10:]) < max(held[:10]) + 100  # other threads are there


def test_the_processes_run_nothing_of_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ready: threading.Event
) -> None:
    """Files of events may lie beside anything."""
    for name in ("csv", "random", "json", "polars", "identity_graph", "sitecustomize"):
        (tmp_path / f"{name}.py").write_text("open('was-run', 'a').write(__name__)\n")
    monkeypatch.chdir(tmp_path)
    path = write(tmp_path / "e.jsonl", content())
    assert outcome(path, 1, progress=lambda *_: ready.wait(PATIENCE)) == outcome(path, 0)
    assert ready.is_set() and not (tmp_path / "was-run").exists()


def test_the_processes_find_what_this_one_was_told_to_find(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ready: threading.Event
) -> None:
    """PYTHONPATH is the user's own word."""
    (tmp_path / "told").mkdir()
    (tmp_path / "told" / "sitecustomize.py").write_text(f"open({str(tmp_path / 'was-run')!r}, 'w')\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "told"))
    path = write(tmp_path / "e.jsonl", content(500))
    assert outcome(path, 1, progress=lambda *_: ready.wait(PATIENCE)) == outcome(path, 0)
    assert (tmp_path / "was-run").exists()


def test_an_interrupt_ends_the_processes_and_the_load_goes_on(tmp_path: Path, small_blocks: list[int]) -> None:
    path = write(tmp_path / "e.jsonl", content())
    store = open_store("sqlite:///:memory:")
    ingest = ingest_into(store, Clock())
    for after in (3, 20):
        steps_done = iter(range(10**6))

        def stop(*_: object, after: int = after, steps_done: Iterator[int] = steps_done) -> None:
            if next(steps_done) == after:
                raise Stop

        with pytest.raises(Stop):
            ingest.load(EVENTS, path, processes=2, progress=stop)
        assert set(children()) <= set(small_blocks)
    run = ingest.load(EVENTS, path, processes=2)
    alone = outcome(path, 0)
    assert run == replace(alone[0], id=run.id)
    assert (state(store), aside(store)) == alone[1:]
    store.close()


def test_an_error_of_the_source_comes_after_what_was_read(tmp_path: Path, store: Store, clock: Clock) -> None:
    packed = gzip.compress(content())
    path = write(tmp_path / "e.jsonl.gz", packed[: len(packed) * 3 // 4])
    ingest = ingest_into(store, clock)
    with pytest.raises(InputError) as raised:
        ingest.load(EVENTS, path, processes=2)
    assert raised.value.code == "SOURCE_TRUNCATED"
    (run,) = store.operations.runs()
    assert (run.state, counts(run)[1] > 1000) == (RunState.FAILED, True)
    alone = open_store("sqlite:///:memory:")
    with pytest.raises(InputError):
        ingest_into(alone, clock).load(EVENTS, path, processes=0)
    assert state(store) == state(alone)
    alone.close()


CARDS = parse_loader("""
source = "cards"
csv = { text_mark = "'" }
[event]
time = "at"
name = { value = "Seen" }
[identifiers]
email = "mail"
loyalty_id = "card"
[properties]
"*" = "."
""")


def table(end: str = "\n") -> bytes:
    """Rows of every kind, those with quotes among others that have none for many blocks."""
    rows = []
    for number in range(4000):
        rows.append(f"p{number % 900}@example.org,{number},2025-01-01T00:00:{number % 60:02},'0{number}")
        odd = {
            11: f"p{number}@example.org,{number}",
            17: ",,,",
            23: "",
            29: "a@b.example,1,2025-01-01,x,y",
            31: "no at sign,5,2025-01-01,",
            37: "p1@example.org,7,never,\0",
            41: "ann@example.org,7\r8,2025-01-01,",
        }
        rows += [row for divisor, row in odd.items() if number % divisor == 0]
        if 1000 < number < 1600 and number % 50 == 0:
            rows.append(f'q{number}@example.org,"a, ""b""",2025-01-01,"two{end}lines"')
        if number > 3200 and number % 3 == 0:
            rows.append(f'"q{number}@example.org","a, ""b""","2025-01-01","\'7"')
            rows.append(f'"q{number}@example.org",,"2025-01-01"' + ',"more"' * (number % 4))
        if number == 2500:
            rows += ['"open,8,2025-01-01,x', 'b@b.example,9,"2025-01-01"x,']
    raw = end.join(["mail,card,at,note", *rows]).encode()
    lines = raw.split(b"\n")
    lines[3000] = b"\xff" + lines[3000]
    lines[3500] = b"x" * (2 << 20)
    return b"\xef\xbb\xbf" + b"\n".join(lines)


@pytest.mark.parametrize("processes", [1, 2])
@pytest.mark.parametrize("end", ["\n", "\r\n"], ids=["unix", "windows"])
def test_rows_of_csv(tmp_path: Path, processes: int, end: str) -> None:
    path = write(tmp_path / "c.csv", table(end))
    alone = outcome(path, 0, CARDS)
    assert counts(alone[0])[1] > 3000 and len({code for _, _, code, _, _ in alone[2]}) > 6
    assert outcome(path, processes, CARDS) == alone


def test_rows_of_csv_interrupted_anywhere(tmp_path: Path) -> None:
    path = write(tmp_path / "c.csv", table())
    alone = outcome(path, 0, CARDS)
    store = open_store("sqlite:///:memory:")
    ingest = ingest_into(store, Clock())

    def stop(*_: object) -> None:
        raise Stop

    for _ in range(5):
        with pytest.raises(Stop):
            ingest.load(CARDS, path, processes=1, progress=stop)
    run = ingest.load(CARDS, path, processes=1)
    assert run == replace(alone[0], id=run.id)
    assert (state(store), aside(store)) == alone[1:]
    store.close()


@pytest.mark.parametrize("kind", ["plain", "nested"])
def test_rows_of_parquet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    monkeypatch.setattr(parquet, "SLICE", 500)
    count = 3000
    frame = pl.DataFrame({
        "mail": [None if n % 13 == 0 else f"P{n % 700}@example.org" if n % 19 else "no at sign" for n in range(count)],
        "card": [n % 800 if n % 7 else None for n in range(count)],
        "at": [datetime(2025, 1, 1) + timedelta(seconds=n % 900) for n in range(count)],
        "big": pl.Series([2**64 - 1 - n for n in range(count)], dtype=pl.UInt64),
        "price": [n / 3 if n % 5 else None for n in range(count)],
        "gold": [n % 2 == 0 for n in range(count)],
        "note": ["" if n % 3 == 0 else "\0" if n % 17 == 0 else "x" for n in range(count)],
    })  # fmt: skip
    if kind == "nested":
        frame = frame.with_columns(tags=pl.concat_list("card"), wild=pl.col("price") / (pl.col("card") - 5))
    path = tmp_path / "c.parquet"
    frame.write_parquet(path, row_group_size=700)
    alone = outcome(path, 0, CARDS)
    assert counts(alone[0])[1] > 1500 and counts(alone[0])[3] > 100
    assert outcome(path, 1, CARDS) == alone


def test_parts_of_parquet_begin_small_and_hold_every_row(tmp_path: Path) -> None:
    path, size = tmp_path / "c.parquet", 2 << 20
    pl.DataFrame({"mail": [f"p{n}@example.org" for n in range(400_000)]}).write_parquet(path)
    with Reader(path) as reader:
        parts = [part for part in reader.pieces(size) if isinstance(part, parquet.Part)]
    sizes = [part.many for part in parts]
    assert sizes[0] == parquet.SLICE and sizes[:-1] == sorted(sizes[:-1]) and max(sizes) >= 8 * parquet.SLICE
    assert [part.first for part in parts] == [0, *accumulate(sizes[:-1])] and sum(sizes) == 400_000
    with Reader(path, start=150_000) as reader:
        first = next(reader.pieces(size))
    assert isinstance(first, parquet.Part) and (first.first, first.many) == (150_000, parquet.SLICE)


def test_a_parquet_file_that_is_damaged_on_the_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet, "SLICE", 500)
    monkeypatch.setattr(steps, "BLOCK", 1)
    path = tmp_path / "c.parquet"
    rows = [f"p{n}@example.org" for n in range(4000)]
    pl.DataFrame({"mail": rows, "at": ["2025-01-01"] * 4000}).write_parquet(path, row_group_size=1000)
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 2 : len(raw) // 2 + 400] = b"\xff" * 400
    path.write_bytes(raw)
    found = []
    for processes in (0, 1):
        store = open_store("sqlite:///:memory:")
        with pytest.raises(InputError) as raised:
            ingest_into(store, Clock()).load(CARDS, path, processes=processes)
        found.append((raised.value.code, state(store)))
        store.close()
    assert found[0] == found[1] and found[0][0] == "SOURCE_FORMAT" and found[0][1]
