"""From files to stored events: everything is counted, nothing is lost, nothing is stored twice."""

from __future__ import annotations

import gzip
import io
import json
import os
import random
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from identity_graph.errors import InputError, StoreError
from identity_graph.ingest import Ingest
from identity_graph.loaders import Loader, read_loader
from identity_graph.loaders.file import read_file
from identity_graph.model import Event, Identifier, Quarantined, Run, RunState
from identity_graph.store import open_store
from identity_graph.store.protocols import Store
from identity_graph.times import parse_time
from tests.conftest import FIXTURE_SHARED, Clock
from tests.loader_samples import sample_file
from tests.story.ingesting import EVENTS, counts, ingest_into, jsonl, native, quarantine, state, write
from tests.story.places import MEMORY, place


@pytest.fixture
def ingest(store: Store, clock: Clock) -> Ingest:
    return ingest_into(store, clock)


# ---- files --------------------------------------------------------------------------------------------------------


def test_a_load_is_counted_and_stored(store: Store, ingest: Ingest, clock: Clock, tmp_path: Path) -> None:
    path = write(tmp_path / "e.jsonl", jsonl(*map(native, range(5))))
    run = ingest.load(EVENTS, path)
    assert counts(run) == (5, 5, 0, 0, 0)
    assert store.operations.runs() == [run]
    assert (run.kind, run.state, run.source) == ("load", RunState.DONE, "events")
    assert (run.position, run.offset) == (5, path.stat().st_size)
    (row,) = store.evidence.events(["e3"])
    assert row is not None
    assert row.event.identifiers == (
        Identifier("cookie", "c0"),
        Identifier("cookie", "c3"),
        Identifier("email", "p3@example.org"),
    )
    assert (row.event.received, row.event.traits, row.event.source) == (clock.now, {"n": 3}, "events")


def test_loading_again_stores_nothing(store: Store, ingest: Ingest, tmp_path: Path) -> None:
    path = write(tmp_path / "e.jsonl", jsonl(*map(native, range(5))))
    ingest.load(EVENTS, path)
    before = state(store)
    again = ingest.load(EVENTS, path)
    assert counts(again) == (5, 0, 5, 0, 0)
    assert again.id != store.operations.runs()[1].id
    assert state(store) == before


BAD = [
    (b"nonsense", "NOT_JSON"),
    (b"[1, 2]", "NOT_OBJECT"),
    (b"\xff\xfe", "NOT_UTF8"),
    (b'{"id": "n1", "a": NaN}', "NUMBER_NOT_FINITE"),
    (b'{"id": "n2", "a": 1e999}', "NUMBER_RANGE"),
    (b'{"id": "n3", "a": 99999999999999999999}', "NUMBER_RANGE"),
    (b'{"id": "n4", "a": "\\ud800"}', "TEXT_SURROGATE"),
    (b'{"a":' * 70 + b"1" + b"}" * 70, "RECORD_TOO_DEEP"),
    (jsonl(native(90, id="a\0b"))[:-1], "TEXT_INVALID"),
    (jsonl(native(91, id="x" * 257))[:-1], "EVENT_ID_TOO_LONG"),
    (jsonl(native(92, identifiers={"email": ""}))[:-1], "IDENTIFIER_EMPTY"),
    (jsonl(native(93, identifiers={"email": "ann at example"}))[:-1], "EMAIL_NO_AT"),
    (jsonl(native(94, identifiers={"user_id": "a\0b"}))[:-1], "VALUE_CONTROL"),
    (jsonl(native(95, identifiers={"UPPER CASE": "a"}))[:-1], "NAMESPACE_INVALID"),
    (jsonl(native(96, time="10000-01-01T00:00:00Z"))[:-1], "TS_RANGE"),
    (jsonl(native(97, time="2026-01-02T00:00:01Z"))[:-1], "TS_FUTURE"),
    (jsonl(native(98, time="soon"))[:-1], "TS_INVALID"),
    (jsonl(native(99, name=""))[:-1], "EVENT_NAME_MISSING"),
    (b'{"id": "long", "a": "' + b"x" * (10 << 20) + b'"}', "RECORD_TOO_LARGE"),
]


def test_bad_records_are_set_aside_and_good_ones_around_them_are_kept(
    store: Store, ingest: Ingest, tmp_path: Path
) -> None:
    lines: list[bytes] = []
    for number, (raw, _) in enumerate(BAD):
        lines += [jsonl(native(number))[:-1], b"", raw]
    lines += [jsonl(native(3))[:-1], jsonl(native(4, traits={"other": 1}))[:-1]]
    content = b"\r\n".join(lines)
    run = ingest.load(EVENTS, write(tmp_path / "e.jsonl", content), batch=7)
    assert counts(run) == (2 * len(BAD) + 2, len(BAD), 1, len(BAD) + 1, 0)
    found = quarantine(store)
    assert [record.code for record in found] == [*(code for _, code in BAD), "ID_REUSE"]
    for number, record in enumerate(found[:-1]):
        raw = BAD[number][0] + b"\r"
        assert (record.line, record.source, record.loader, record.run_id) == (
            number * 3 + 3,
            "events",
            "events",
            run.id,
        )
        assert content[record.offset :].startswith(raw)
        assert record.record == (raw if record.code != "RECORD_TOO_LARGE" else raw[: 1 << 16])
        assert record.message
    assert json.loads(found[-1].record)["traits"] == {"other": 1}
    assert store.operations.counts()["events"] == len(BAD)


def test_every_format_gives_the_same_events(each_store: None, clock: Clock, tmp_path: Path) -> None:
    rows = [
        {"order_id": f"o{n}", "customer_id": f"u{n % 5}", "email": f"p{n}@example.org", "amount": str(n * 1.5)}
        for n in range(40)
    ]
    rows = [row | {"ordered_at": f"2025-06-01T00:{n:02}:00Z", "items": str(n)} for n, row in enumerate(rows)]
    table = pl.DataFrame(rows)
    table.write_csv(tmp_path / "o.csv")
    table.write_ndjson(tmp_path / "o.jsonl")
    table.with_columns(
        pl.col("amount").cast(pl.Float64),
        pl.col("items").cast(pl.Int64),
        pl.col("ordered_at").str.to_datetime(time_zone="UTC"),
    ).write_parquet(tmp_path / "o.parquet")
    for name in ("o.csv", "o.jsonl", "o.parquet"):
        (tmp_path / f"{name}.gz").write_bytes(gzip.compress((tmp_path / name).read_bytes()))
    states = []
    for path in sorted(tmp_path.glob("o.*")):
        store = open_store(place.fresh())
        run = ingest_into(store, clock).load(read_loader("orders"), path, batch=7)
        assert counts(run) == (40, 40, 0, 0, 0)
        states.append(state(store))
        store.close()
    assert len(states) == 6
    assert all(found == states[0] for found in states)


def test_times_of_records_that_have_none(store: Store, ingest: Ingest, tmp_path: Path) -> None:
    path = write(tmp_path / "e.jsonl", jsonl(native(1, time=None), native(2)))
    os.utime(path, (1_700_000_000, 1_700_000_000))
    ingest.load(EVENTS, path)
    ingest.load(EVENTS, write(tmp_path / "f.jsonl", jsonl(native(3, time=None))), time=parse_time("2020-02-02"))
    times = [row and row.event.time for row in store.evidence.events(["e1", "e2", "e3"])]
    assert times == [1_700_000_000_000_000, parse_time("2025-06-01T00:00:02Z"), parse_time("2020-02-02")]


@pytest.mark.parametrize("one_by_one", [False, True])
def test_another_time_of_the_file_makes_no_record_another_one(
    store: Store, ingest: Ingest, tmp_path: Path, one_by_one: bool
) -> None:
    class Own(Loader):
        def event(self, *told: Any, **named: Any) -> Event:
            return super().event(*told, **named)

    for name in ("shopify_customers", "events"):
        loader = (Own if one_by_one else Loader)(read_file(name))
        path = tmp_path / sample_file(name).name
        path.write_bytes(sample_file(name).read_bytes())
        with path.open("ab") as file:
            file.write(jsonl(*(native(n, time=None) for n in range(40)), native(43)) if name == "events" else b"")
        os.utime(path, (1_700_000_000, 1_700_000_000))
        _, accepted, _, quarantined, _ = counts(ingest.load(loader, path))
        before, aside = state(store), quarantine(store)
        os.utime(path, (1_710_000_000, 1_710_000_000))
        assert accepted and counts(ingest.load(loader, path))[1:] == (0, accepted, quarantined, 0)
        assert (state(store), quarantine(store)) == (before, aside)
    other = write(tmp_path / "other.jsonl", jsonl(native(1, time=None, traits={}), native(43, time="2025-06-02")))
    assert counts(ingest.load(loader, other)) == (2, 0, 0, 2, 0)
    said = [record.message.rpartition(": ")[2] for record in quarantine(store)]
    assert said[-2:] == ["traits", "time"] and state(store) == before


def test_standard_input(store: Store, ingest: Ingest, monkeypatch: pytest.MonkeyPatch) -> None:
    def typed(content: bytes) -> None:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))

    typed(jsonl(*map(native, range(10))))
    assert counts(ingest.load(EVENTS, "-", batch=3)) == (10, 10, 0, 0, 0)
    typed(jsonl(native(10), native(11, time=None), native(12)))
    with pytest.raises(InputError, match="standard input, line 2: the record has no time") as raised:
        ingest.load(EVENTS, "-", batch=3)
    assert (raised.value.code, "--time" in raised.value.help) == ("TS_INVALID", True)
    failed = store.operations.runs()[0]
    assert (failed.state, counts(failed)) == (RunState.FAILED, (1, 1, 0, 0, 0))
    typed(jsonl(native(10), native(11, time=None), native(12)))
    assert counts(ingest.load(EVENTS, "-", time=5)) == (3, 2, 1, 0, 0)


def test_progress_is_heard(ingest: Ingest, tmp_path: Path) -> None:
    path = write(tmp_path / "e.jsonl", jsonl(*map(native, range(10))))
    heard: list[tuple[int, int | None, int]] = []
    ingest.load(EVENTS, path, batch=4, progress=lambda *state: heard.append(state))
    size = path.stat().st_size
    assert [(total, records) for _, total, records in heard] == [(size, 4), (size, 8), (size, 10)]
    assert heard[-1][0] == size


@pytest.mark.parametrize("ending", ["jsonl", "jsonl.gz", "parquet"])
def test_a_run_says_how_far_it_is(store: Store, ingest: Ingest, tmp_path: Path, ending: str) -> None:
    path, lines = tmp_path / f"e.{ending}", jsonl(*map(native, range(50)))
    loader = read_loader("orders") if ending == "parquet" else EVENTS
    if ending == "parquet":
        mixed_parquet(path)
    else:
        path.write_bytes(gzip.compress(lines) if ending.endswith("gz") else lines)
    heard: list[float | None] = []
    run = ingest.load(loader, path, batch=25, progress=lambda *_: heard.append(store.operations.runs()[0].progress))
    assert (run.state, run.progress) == (RunState.DONE, 1.0)
    # What is compressed has no known end.
    assert heard == ([None, None] if ending == "jsonl.gz" else [pytest.approx(0.5, abs=0.05), 1.0])
    assert store.operations.find_runs([run.id]) == [run]


# ---- one digest ---------------------------------------------------------------------------------------------------


@settings(max_examples=25, deadline=None, suppress_health_check=FIXTURE_SHARED)
@given(data=st.data())
def test_any_order_and_any_cut_give_one_state(
    each_store: None, tmp_path: Path, clock: Clock, data: st.DataObject
) -> None:
    records = [native(number) for number in range(30)] + [native(number, traits={}) for number in (3, 9)]
    plain = ingest_state(tmp_path, clock, [records], 100)
    order = data.draw(st.permutations(records[:30]))
    cuts = sorted(data.draw(st.lists(st.integers(0, 30), max_size=3)))
    parts = [order[a:b] for a, b in zip([0, *cuts], [*cuts, 30], strict=True)]
    again = data.draw(st.lists(st.sampled_from(parts), max_size=2))
    batch = data.draw(st.integers(1, 40))
    assert ingest_state(tmp_path, clock, [*parts, *again, records[30:]], batch) == plain


def ingest_state(folder: Path, clock: Clock, parts: list[list[dict[str, Any]]], batch: int) -> list[bytes]:
    store = open_store(place.fresh())
    ingest = ingest_into(store, clock)
    for part in parts:
        counts(ingest.load(EVENTS, write(folder / "part.jsonl", jsonl(*part)), batch=batch))
    found = state(store)
    store.close()
    return found


# ---- interruptions ------------------------------------------------------------------------------------------------


class Stop(BaseException):
    """Stands for an interrupt: not an error of ours, at a moment of the test's choice."""


def stopping(after: int) -> Callable[..., None]:
    calls = iter(range(10**6))

    def stop(*_: object) -> None:
        if next(calls) == after:
            raise Stop

    return stop


CASES: dict[str, Callable[[Path], tuple[Loader, Path]]] = {
    "jsonl": lambda folder: (EVENTS, write(folder / "e.jsonl", b"\n" + mixed_jsonl())),
    "jsonl.gz": lambda folder: (EVENTS, write(folder / "e.jsonl.gz", gzip.compress(mixed_jsonl()))),
    "csv": lambda folder: (read_loader("crm"), write(folder / "c.csv", mixed_csv())),
    "parquet": lambda folder: (read_loader("orders"), mixed_parquet(folder / "o.parquet")),
}


def mixed_jsonl() -> bytes:
    lines: list[Any] = []
    for number in range(50):
        lines += [native(number), b"", b"nonsense"] if number % 3 == 0 else [native(number)]
    return jsonl(*lines, native(5), native(6, traits={}))


def mixed_csv() -> bytes:
    rows = ["change_id,contact_id,email,city,updated_at"]
    for number in range(50):
        rows.append(f'c{number},u{number},p{number}@example.org,"a\nb ""{number}""",2025-01-01T00:00:{number:02}Z')
        rows += ["", f"d{number},u,nobody at home,,2025-01-01", 'x,"y'] if number % 7 == 0 else []
    return "\r\n".join(rows).encode()


def mixed_parquet(path: Path) -> Path:
    emails = [f"p{n}@example.org" if n % 4 else "nobody at home" for n in range(50)]
    times = ["2025-01-01T00:00:00Z"] * 50
    pl.DataFrame({"order_id": range(50), "email": emails, "ordered_at": times}).write_parquet(path, row_group_size=9)
    return path


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("stops", [[0], [3], [1, 0, 2]])
def test_an_interrupted_load_goes_on_as_if_nothing_had_happened(
    each_store: None, tmp_path: Path, clock: Clock, case: str, stops: list[int]
) -> None:
    loader, path = CASES[case](tmp_path)
    calm, rough = open_store(MEMORY), open_store(place.fresh())
    undisturbed = ingest_into(calm, clock).load(loader, path, batch=4)
    ingest = ingest_into(rough, clock)
    for after in stops:
        with pytest.raises(Stop):
            ingest.load(loader, path, batch=4, progress=stopping(after))
    path = path.rename(path.with_name("renamed" + "".join(path.suffixes)))
    run = ingest.load(loader, path, batch=5)
    assert run == replace(undisturbed, default_time=run.default_time)
    assert counts(run)[3] > 0
    assert rough.operations.runs() == [run]
    assert state(rough) == state(calm)
    assert [r[2:] for r in map(facts, quarantine(rough))] == [r[2:] for r in map(facts, quarantine(calm))]
    calm.close()
    rough.close()


def facts(record: Quarantined) -> tuple[Any, ...]:
    return record.number, record.run_id, record.line, record.offset, record.code, record.message, record.record


def test_another_time_or_loader_is_another_load(ingest: Ingest, tmp_path: Path) -> None:
    path = write(tmp_path / "e.jsonl", jsonl(*map(native, range(9))))
    with pytest.raises(Stop):
        ingest.load(EVENTS, path, batch=2, progress=stopping(1))
    assert counts(ingest.load(EVENTS, path, time=7)) == (9, 5, 4, 0, 0)
    own = tmp_path / "own.toml"
    own.write_text('like = "events"\nsource = "own"\n')
    assert counts(ingest.load(read_loader(own), path)) == (9, 0, 0, 9, 0)
    assert counts(ingest.load(EVENTS, path)) == (9, 4, 5, 0, 0)


def test_a_load_that_another_process_took_over_stores_nothing_more(
    store: Store, ingest: Ingest, tmp_path: Path
) -> None:
    path = write(tmp_path / "e.jsonl", jsonl(*map(native, range(9))))
    other: list[Run] = []

    def meanwhile(*_: object) -> None:
        if not other:
            other.append(ingest.load(EVENTS, path, batch=3))

    with pytest.raises(StoreError) as raised:
        ingest.load(EVENTS, path, batch=2, progress=meanwhile)
    assert raised.value.code == "SOURCE_CHANGED"
    assert counts(other[0]) == (9, 9, 0, 0, 0)
    assert store.operations.runs() == other


# ---- failures -----------------------------------------------------------------------------------------------------


def test_a_truncated_file_keeps_its_good_records(store: Store, ingest: Ingest, tmp_path: Path) -> None:
    dice = random.Random(1)
    records = [native(number, traits={"x": dice.random()}) for number in range(3000)]
    whole = gzip.compress(jsonl(*records))
    path = write(tmp_path / "e.jsonl.gz", whole[: len(whole) // 2])
    for _ in range(2):
        with pytest.raises(InputError) as raised:
            ingest.load(EVENTS, path, batch=1000)
        assert raised.value.code == "SOURCE_TRUNCATED"
    (failed,) = store.operations.runs()
    assert raised.value.run == failed
    assert (failed.state, failed.message.startswith("SOURCE_TRUNCATED: ")) == (RunState.FAILED, True)
    kept = counts(failed)[1]
    assert 1000 < kept < 2000
    assert counts(ingest.load(EVENTS, write(path, whole))) == (3000, 3000 - kept, kept, 0, 0)


@pytest.mark.parametrize(
    ("loader", "name", "content", "code"),
    [
        ("orders", "o.parquet", b"PAR1 nonsense", "SOURCE_FORMAT"),
        ("crm", "c.csv", b"a,b\n1,2\n", "SOURCE_COLUMNS"),
        ("crm", "c.csv", b"email,email\n", "SOURCE_FORMAT"),
    ],
)
def test_files_that_do_not_fit(
    store: Store, ingest: Ingest, tmp_path: Path, loader: str, name: str, content: bytes, code: str
) -> None:
    path = write(tmp_path / name, content)
    with pytest.raises(InputError) as raised:
        ingest.load(read_loader(loader), path)
    assert raised.value.code == code
    (failed,) = store.operations.runs()
    assert (failed.state, failed.read, failed.message.partition(":")[0]) == (RunState.FAILED, 0, code)


def test_a_parquet_file_of_other_columns(ingest: Ingest, tmp_path: Path) -> None:
    path = tmp_path / "o.parquet"
    pl.DataFrame({"a": [1]}).write_parquet(path)
    with pytest.raises(InputError) as raised:
        ingest.load(read_loader("orders"), path)
    assert raised.value.code == "SOURCE_COLUMNS"


def test_a_missing_file_leaves_no_run(store: Store, ingest: Ingest, tmp_path: Path) -> None:
    with pytest.raises(InputError) as raised:
        ingest.load(EVENTS, tmp_path / "gone.jsonl")
    assert raised.value.code == "SOURCE_MISSING"
    assert store.operations.runs() == []


def test_a_full_disk_stops_a_load_that_goes_on_when_there_is_room(tmp_path: Path, clock: Clock) -> None:
    """SQLite itself says that there is no room: the store may have no more pages than it has."""
    store = open_store(f"sqlite:///{tmp_path / 'people.db'}")
    ingest = ingest_into(store, clock)
    path = write(tmp_path / "e.jsonl", jsonl(*(native(number, note="x" * 500) for number in range(2000))))
    with pytest.raises(Stop):
        ingest.load(EVENTS, path, batch=100, progress=stopping(4))
    writer = store._database._writer  # type: ignore[attr-defined]
    writer.pragma("max_page_count", writer.pragma("page_count"))
    with pytest.raises(StoreError) as raised:
        ingest.load(EVENTS, path, batch=100)
    assert raised.value.code == "STORE_FULL"
    (failed,) = store.operations.runs()
    assert counts(failed) == (500, 500, 0, 0, 0)
    writer.pragma("max_page_count", 1 << 30)
    assert counts(ingest.load(EVENTS, path, batch=100)) == (2000, 2000, 0, 0, 0)
    store.close()
