"""What was set aside is loaded again, and events that come without a file."""

from __future__ import annotations

import doctest
import os
from pathlib import Path
from typing import Any

import pytest

from identity_graph.errors import NotFound
from identity_graph.event_flaws import surely_canonical
from identity_graph.ingest import Ingest
from identity_graph.loaders import read_loader
from identity_graph.model import Event, Identifier, Origin, Refused, Run, RunState
from identity_graph.normalise import normalise
from identity_graph.store import open_store
from identity_graph.store.protocols import Batch, Store
from tests.conftest import Clock
from tests.readme import README
from tests.readme_session import blocks
from tests.story.ingesting import EVENTS, counts, ingest_into, jsonl, native, quarantine, state, write


@pytest.fixture
def ingest(store: Store, clock: Clock) -> Ingest:
    return ingest_into(store, clock)


CARD = """
source = "cards"
phone_region = "{region}"
[event]
id = "id"
name = {{ value = "Seen" }}
[identifiers]
phone = "phone"
"""


def test_replay_after_a_mend_is_as_a_clean_load(store: Store, ingest: Ingest, clock: Clock, tmp_path: Path) -> None:
    loader, clean = tmp_path / "cards.toml", open_store("sqlite:///:memory:")
    rows = [f"{n},{'020 7946 09' if n % 2 else '+44 20 7946 09'}{n:02}" for n in range(20)]
    path = write(tmp_path / "cards.csv", "\n".join(["id,phone", *rows, "20,12", "21,,x"]).encode())
    os.utime(path, (1_600_000_000, 1_600_000_000))
    loader.write_text(CARD.format(region="GB"))
    ingest_into(clean, clock).load(read_loader(loader), path)
    loader.write_text(CARD.format(region="DE").replace('phone_region = "DE"', ""))
    assert counts(ingest.load(read_loader(loader), path)) == (22, 10, 0, 12, 0)
    assert counts(ingest.replay()) == (12, 0, 0, 12, 0)
    before = quarantine(store)
    path.unlink()  # the bytes in quarantine are enough
    loader.write_text(CARD.format(region="GB"))
    run = ingest.replay(code="PHONE_NO_COUNTRY")
    assert counts(run) == (11, 10, 0, 1, 0)
    assert state(store) == state(clean)
    left = quarantine(store)
    assert left == [record for record in before if record in left]
    assert [record.code for record in left] == ["PHONE_NO_COUNTRY", "RAGGED_ROW"], "as they were set aside"
    assert [record.code for record in quarantine(clean)] == ["PHONE_TOO_SHORT", "RAGGED_ROW"]
    assert counts(ingest.replay()) == (len(left), 0, 0, len(left), 0)
    assert quarantine(store) == left
    clean.close()


def test_replay_of_numbers(store: Store, ingest: Ingest, clock: Clock, tmp_path: Path) -> None:
    future = [native(number, time="2026-01-03T00:00:00Z") for number in range(3)]
    ingest.load(EVENTS, write(tmp_path / "e.jsonl", jsonl(*future)))
    first, second, third = (record.number for record in quarantine(store))
    clock.tick(86400)
    with pytest.raises(NotFound) as raised:
        ingest.replay([first, third + 1])
    assert raised.value.code == "QUARANTINE_UNKNOWN"
    assert counts(ingest.replay([second, second])) == (1, 1, 0, 0, 0)
    assert counts(ingest.replay([first], code="NOT_JSON")) == (0, 0, 0, 0, 0)
    assert [record.number for record in quarantine(store)] == [first, third]
    with pytest.raises(NotFound):
        ingest.replay([second])
    assert counts(ingest.replay(code="TS_FUTURE")) == (2, 2, 0, 0, 0)
    assert quarantine(store) == []


def test_replay_of_an_id_with_two_bodies(store: Store, ingest: Ingest, tmp_path: Path) -> None:
    records = [native(1), native(1, traits={}), native(1, traits={}), native(2, time=None, identifiers={})]
    ingest.load(EVENTS, write(tmp_path / "e.jsonl", jsonl(*records)), time=5)
    before = quarantine(store)
    assert [record.code for record in before] == ["IDENTIFIER_EMPTY", "ID_REUSE", "ID_REUSE"]
    assert counts(ingest.replay()) == (3, 0, 0, 3, 0)
    assert quarantine(store) == before


def test_replay_of_records_without_a_time_that_were_set_aside(store: Store, ingest: Ingest, tmp_path: Path) -> None:
    """As a release before this one did with those that came again in another file."""
    path = write(tmp_path / "e.jsonl", jsonl(native(1, time=None), native(2, time=None)))
    ingest.load(EVENTS, path, time=5)
    write(path, jsonl(native(1, time=None), native(2, time=None, name="Other"), native(3, time=None, identifiers={})))
    run = store.operations.begin_run(Run("r", "load", RunState.RUNNING, 1, default_time=7, loader="events"))
    lines = path.read_bytes().splitlines()
    refused = [Refused(Origin(line, line, raw), "ID_REUSE", "time") for line, raw in enumerate(lines, 1)]
    store.evidence.append(run, Batch([], [], refused))
    before = state(store)
    assert counts(ingest.replay()) == (3, 0, 1, 2, 0)
    assert [record.line for record in quarantine(store)] == [2, 3] and state(store) == before


def test_replay_of_many(store: Store, ingest: Ingest, clock: Clock, tmp_path: Path) -> None:
    late = [native(number, time="2026-01-03T00:00:00Z") for number in range(250)]
    ingest.load(EVENTS, write(tmp_path / "e.jsonl", jsonl(*late, *([b"nonsense"] * 250))))
    clock.tick(86400)
    assert counts(ingest.replay()) == (500, 250, 0, 250, 0)
    assert {record.code for record in quarantine(store)} == {"NOT_JSON"}


def test_a_record_that_was_cut_is_never_stored(store: Store, ingest: Ingest, tmp_path: Path) -> None:
    """The first 64 KiB of a row may look whole."""
    loader = tmp_path / "own.toml"
    loader.write_text('source = "own"\n[event]\nname = { value = "x" }\n[identifiers]\nuser_id = "u"\n')
    path = write(tmp_path / "e.csv", b"u,note\n1," + b"x" * (2 << 20) + b"\n2,y\n")
    assert counts(ingest.load(read_loader(loader), path)) == (2, 1, 0, 1, 0)
    assert counts(ingest.replay()) == (1, 0, 0, 1, 0)


@pytest.mark.parametrize("left", [None, "like = ", 'source = "own"\n[event]\nname = "n"\n'])
def test_replay_when_a_loader_is_gone_or_broken(
    store: Store, ingest: Ingest, clock: Clock, tmp_path: Path, left: str | None
) -> None:
    """The others are loaded again; its own records stay as they are."""
    loader = tmp_path / "own.toml"
    loader.write_text('like = "events"\nsource = "own"\n')
    future = [native(number, time="2026-01-03T00:00:00Z") for number in range(6)]
    ingest.load(read_loader(loader), write(tmp_path / "a.jsonl", jsonl(*future[:2])))
    ingest.load(EVENTS, write(tmp_path / "b.jsonl", jsonl(*future[2:5])))
    ingest.load(read_loader(loader), write(tmp_path / "c.jsonl", jsonl(*future[5:])))
    whole = loader.read_text()
    loader.unlink() if left is None else loader.write_text(left)
    clock.tick(86400)
    before = quarantine(store)
    run = ingest.replay()
    assert (counts(run), run.state) == ((6, 3, 0, 3, 0), RunState.DONE)
    assert loader.name in run.message and "3 records" in run.message
    assert quarantine(store) == [record for record in before if record.loader != "events"]
    assert store.operations.runs()[0] == run
    loader.write_text(whole)
    run = ingest.replay()
    assert (counts(run), run.message) == ((3, 3, 0, 0, 0), "")


# ---- events of the API --------------------------------------------------------------------------------------------

EMAIL = Identifier("email", "ann@example.org")
EVENT = Event("e1", 1_700_000_000_000_000, "shop", "Seen", [EMAIL], {"a": 1}, {"b": [2.5, None]})


def test_events(store: Store, ingest: Ingest, clock: Clock) -> None:
    cookie = Identifier("cookie", "c1")
    alias = EVENT._replace(id="e2", same_person=[(EMAIL, cookie)])
    run = ingest.events([EVENT, alias, EVENT, EVENT._replace(name="Other")])
    assert counts(run) == (4, 2, 1, 1, 0)
    assert (run.kind, run.state, store.operations.runs()) == ("ingest", RunState.DONE, [run])
    first, second = store.evidence.events(["e1", "e2"])
    assert first is not None and second is not None
    assert first.event == EVENT._replace(identifiers=(EMAIL,), received=clock.now, same_person=())
    assert second.event.same_person == ((cookie, EMAIL),)
    assert counts(ingest.events([])) == (0, 0, 0, 0, 0)


@pytest.mark.parametrize(
    ("event", "code"),
    [
        (EVENT._replace(identifiers=[]), "NO_IDENTIFIER"),
        (EVENT._replace(id=""), "EVENT_ID_INVALID"),
        (EVENT._replace(id="x" * 257), "EVENT_ID_TOO_LONG"),
        (EVENT._replace(name=""), "EVENT_NAME_MISSING"),
        (EVENT._replace(id="a\0"), "TEXT_INVALID"),
        (EVENT._replace(traits={"a": "\ud800"}), "TEXT_SURROGATE"),
        (EVENT._replace(time=-(10**18)), "TS_RANGE"),
        (EVENT._replace(time=1_767_225_600_000_000 + 86_400_000_001), "TS_FUTURE"),
        (EVENT._replace(traits={"a": [float("nan")]}), "NUMBER_NOT_FINITE"),
        (EVENT._replace(properties={"a": {"b": float("-inf")}}), "NUMBER_NOT_FINITE"),
        (EVENT._replace(properties={"a": 2**64}), "NUMBER_RANGE"),
        (EVENT._replace(identifiers=[Identifier("email", "A@X.org")]), "NOT_CANONICAL"),
        (EVENT._replace(identifiers=[EMAIL, Identifier("Braze_ID", "a")]), "NOT_CANONICAL"),
        (EVENT._replace(identifiers=[Identifier("loyalty_id", "ab-1")]), "NOT_CANONICAL"),
        (EVENT._replace(same_person=[(EMAIL, Identifier("user_id", " u "))]), "NOT_CANONICAL"),
        (EVENT._replace(apart=[(Identifier("user_id", " u "), EMAIL)]), "NOT_CANONICAL"),
        (EVENT._replace(identifiers=[Identifier("E mail", "A")]), "NAMESPACE_INVALID"),
        (EVENT._replace(identifiers=[Identifier("email", "ann")]), "EMAIL_NO_AT"),
        (EVENT._replace(identifiers=[Identifier("phone", "020 7946 0958")]), "PHONE_NO_COUNTRY"),
        (EVENT._replace(source="x" * 65), "EVENT_SOURCE_INVALID"),
        (EVENT._replace(received=-(10**18)), "TS_RANGE"),
    ],
)
def test_refused_events(store: Store, ingest: Ingest, event: Event, code: str) -> None:
    assert counts(ingest.events([event, EVENT._replace(id="good")])) == (2, 1, 0, 1, 0)
    (record,) = quarantine(store)
    assert (record.code, record.loader, record.line) == (code, "", 1)
    assert counts(ingest.replay()) == (1, 0, 0, 1, 0)
    assert quarantine(store) == [record]


def nested(depth: int) -> dict[str, Any]:
    value: dict[str, Any] = {}
    for _ in range(depth):
        value = {"a": value}
    return value


OF_ANOTHER_TYPE: list[tuple[Any, str]] = [
    (None, "TYPE_INVALID"),
    ({"id": "e1"}, "TYPE_INVALID"),
    (tuple(EVENT), "TYPE_INVALID"),
    (EVENT._replace(time="2026"), "TS_INVALID"),  # type: ignore[arg-type]
    (EVENT._replace(time=1.5), "TS_INVALID"),  # type: ignore[arg-type]
    (EVENT._replace(time=True), "TS_INVALID"),
    (EVENT._replace(received="2026"), "TS_INVALID"),  # type: ignore[arg-type]
    (EVENT._replace(id=5), "EVENT_ID_INVALID"),  # type: ignore[arg-type]
    (EVENT._replace(name=5), "EVENT_NAME_INVALID"),  # type: ignore[arg-type]
    (EVENT._replace(source=None), "EVENT_SOURCE_INVALID"),  # type: ignore[arg-type]
    (EVENT._replace(identifiers=None), "TYPE_INVALID"),  # type: ignore[arg-type]
    (EVENT._replace(identifiers="email"), "TYPE_INVALID"),  # type: ignore[arg-type]
    (EVENT._replace(identifiers=EMAIL), "TYPE_INVALID"),  # type: ignore[arg-type]
    (EVENT._replace(identifiers=[("email", "bob@example.org")]), "TYPE_INVALID"),  # type: ignore[list-item]
    (EVENT._replace(identifiers=[EMAIL, tuple(EMAIL)]), "TYPE_INVALID"),  # type: ignore[list-item]
    (EVENT._replace(identifiers=[Identifier("user_id", 5)]), "VALUE_INVALID"),  # type: ignore[arg-type]
    (EVENT._replace(identifiers=[Identifier("user_id", [])]), "VALUE_INVALID"),  # type: ignore[arg-type]
    (EVENT._replace(identifiers=[Identifier(5, "u")]), "NAMESPACE_INVALID"),  # type: ignore[arg-type]
    (EVENT._replace(identifiers=[Identifier([], "u")]), "NAMESPACE_INVALID"),  # type: ignore[arg-type]
    (EVENT._replace(same_person=[EMAIL]), "TYPE_INVALID"),  # type: ignore[list-item]
    (EVENT._replace(same_person=[(EMAIL,)]), "TYPE_INVALID"),  # type: ignore[list-item]
    (EVENT._replace(apart=[5]), "TYPE_INVALID"),  # type: ignore[list-item]
    (EVENT._replace(formerly=[5]), "TYPE_INVALID"),  # type: ignore[list-item]
    (EVENT._replace(traits=None), "OBJECT_INVALID"),  # type: ignore[arg-type]
    (EVENT._replace(traits=[]), "OBJECT_INVALID"),  # type: ignore[arg-type]
    (EVENT._replace(properties={5: 5}), "TYPE_INVALID"),  # type: ignore[dict-item]
    (EVENT._replace(properties={"a": {1, 2}}), "TYPE_INVALID"),
    (EVENT._replace(properties=nested(500)), "RECORD_TOO_DEEP"),
    (EVENT._replace(properties=nested(100_000)), "RECORD_TOO_DEEP"),
]


@pytest.mark.parametrize(("event", "code"), OF_ANOTHER_TYPE)
def test_events_of_another_type(store: Store, ingest: Ingest, event: Any, code: str) -> None:
    """What a type checker would have said is no traceback, and the good ones around it are kept."""
    good = [EVENT._replace(id=f"good-{n}") for n in range(2)]
    assert counts(ingest.events([good[0], event, good[1]])) == (3, 2, 0, 1, 0)
    (record,) = quarantine(store)
    assert (record.code, record.line) == (code, 2)
    ingest.replay()


@pytest.mark.parametrize("space", ["email", "phone", "user_id", "loyalty_id", "ip", "device_id", "E mail"])
def test_what_is_sure_to_be_canonical_is(space: str) -> None:
    texts = ["a@x.org", "A@x.org", "a.b@gmail.com", "+12025550143", "AB1", "ab-1", "192.0.2.1", "u", " u", "", "\0"]
    for named in (texts, texts[:1], [texts[3]], [texts[4]], ["u"]):
        events: list[Any] = [EVENT._replace(identifiers=[Identifier(space, text)]) for text in named]
        events += [event for event, _ in OF_ANOTHER_TYPE]
        for one in surely_canonical(events) - {EMAIL}:
            assert normalise(*one) == one


def test_the_ten_lines_of_the_readme(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (text,) = [text for language, text, _ in blocks(README.read_text()) if "ingest.events(" in text]
    said: list[str] = []
    example = doctest.DocTestParser().get_doctest(text, {}, "the ten lines", None, None)
    assert doctest.DocTestRunner().run(example, out=said.append).failed == 0, "".join(said)
    assert len(example.examples) > 5


def test_replay_of_events(store: Store, ingest: Ingest, clock: Clock) -> None:
    late = EVENT._replace(time=clock.now + 86_400_000_001, same_person=[(EMAIL, Identifier("cookie", "c"))])
    ingest.events([late])
    clock.tick(5)
    assert counts(ingest.replay()) == (1, 1, 0, 0, 0)
    (row,) = store.evidence.events(["e1"])
    assert row is not None
    assert (row.event.time, row.event.same_person) == (late.time, ((Identifier("cookie", "c"), EMAIL),))


def test_records_are_judged_as_lines_of_a_file(store: Store, ingest: Ingest) -> None:
    bad: dict[str, list[Any]] = {
        "NUMBER_NOT_FINITE": [float("nan"), float("-inf")],
        "NUMBER_RANGE": [2**64],
        "TEXT_SURROGATE": ["\ud800"],
        "RECORD_TOO_DEEP": [deep()],
    }
    records = [
        native(n, traits={"x": value}) for n, value in enumerate(value for many in bad.values() for value in many)
    ]
    run = ingest.records(
        EVENTS, [native(90), *records, native(91, note="\u00e9"), native(90), native(90, name="Other")]
    )
    assert (counts(run), run.kind, run.source) == ((9, 2, 1, 6, 0), "ingest", "events")
    found = {record.line: record.code for record in quarantine(store)}
    assert found == dict(enumerate((code for code, many in bad.items() for _ in many), 2)) | {9: "ID_REUSE"}
    before = quarantine(store)
    assert counts(ingest.replay()) == (6, 0, 0, 6, 0)
    assert quarantine(store) == before


def deep() -> list[Any]:
    value: list[Any] = []
    for _ in range(70):
        value = [value]
    return value
