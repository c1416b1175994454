"""After an erasure no file of the store holds a byte of it, whoever else has the store open."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from multiprocessing.connection import Connection as Pipe
from pathlib import Path
from random import Random

import pytest

from identity_graph.errors import StoreError
from identity_graph.model import Event, Identifier, Origin, Reason, Refused
from identity_graph.store import open_store
from identity_graph.store.protocols import Batch, Erasure, Store, SuppressedRow
from identity_graph.store.sqlite import SqliteStore, layers
from tests.nursery import FORK
from tests.store.building import NOW, array, begin, event, numbers, publication


def keep_open(url: str, pipe: Pipe) -> None:
    """Another process: reads everything, then holds the store until it is told to let go."""
    store = open_store(url)
    pipe.send(len(list(store.operations.canonical_lines())))
    pipe.recv()
    store.close()


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    """With the store open in another process, from before the erasure until after it."""
    found = f"sqlite:///{tmp_path / 'people.db'}"
    open_store(found).close()
    here, there = FORK.Pipe()
    process = FORK.Process(target=keep_open, args=(found, there))
    process.start()
    there.close()
    assert here.recv() == 0
    yield found
    here.send("done")
    process.join(timeout=120)
    assert process.exitcode == 0


def address(person: int) -> str:
    return f"person{person:05}@erase-me.example"


def of(person: int, place: int, random: Random) -> Event:
    mail = address(person)
    padding = "lorem ipsum " * random.randrange(60)
    return event(
        f"{mail}/{place}",
        f"email:{mail}",
        f"user_id:{person}",
        f"cookie:{mail}-{random.randrange(3)}",
        time=NOW + place,
        name=f"Mail to {mail}",
        traits={"email": mail, "note": padding},
        properties={"to": [mail, mail.upper()], "padding": padding * random.choice([1, 1, 1, 20])},
        same_person=[(f"email:{mail}", f"user_id:{person}")],
    )


def erase(store: Store, persons: list[int]) -> None:
    keys = [Identifier("email", address(person)) for person in persons]
    keys += [Identifier("user_id", str(person)) for person in persons]
    keys += [Identifier("cookie", f"{address(person)}-{n}") for person in persons for n in range(3)]
    found = [row for row in store.evidence.identifiers(keys) if row is not None]
    events = {row.number: row for rows in store.evidence.events_of([row.number for row in found]) for row in rows}
    records = [
        each.number
        for each in store.operations.quarantined(limit=100_000)
        if any(address(person).encode() in each.record for person in persons)
    ]
    store.privacy.erase(
        Erasure(
            persons=[],
            events=list(events),
            event_ids=[row.event.id for row in events.values()],
            identifiers=[row.number for row in found],
            tombstones=keys,
            quarantined=records,
            near=store.evidence.identifier_table()[0].number.tolist(),
        )
    )


def traces(folder: Path, text: str) -> list[str]:
    """Files that hold the text in any of the encodings in which one would look for it."""
    raw = text.encode()
    forms = {raw, raw.upper(), text.encode("utf-16-le"), text.encode("utf-16-be"), raw.hex().encode()}
    forms |= {base64.b64encode(raw)[:-4], raw[: len(raw) // 2] + b"@"}
    return [path.name for path in folder.iterdir() if any(form in path.read_bytes() for form in forms)]


def test_no_byte_of_the_erased_is_left(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layers, "LEAST", 300)
    random = Random(7)
    events = [of(random.randrange(400), place, random) for place in range(2_000)]
    store = open_store(url)
    run = begin(store)
    for start in range(0, len(events), 100):
        piece = events[start : start + 100]
        refused = [Refused(Origin(1, 0, each.id.encode() * 40), "NOT_JSON", each.id) for each in piece[::10]]
        origins = [Origin(n, n, each.id.encode()) for n, each in enumerate(piece)]
        run = store.evidence.append(run, Batch(piece, origins, refused, position=start + 100))
    quoting = Reason("LIMIT", f"{address(3)} and others", "email", (address(3), address(9)))
    one, other = numbers(store, "user_id:8", "user_id:9")
    store.persons.publish(
        publication(
            created=["p1"],
            members=[(number, -1) for number in array(range(1, 50)).tolist()],
            suppressed=[SuppressedRow(min(one, other), max(one, other), quoting)],
            scope=None,
        )
    )
    assert traces(tmp_path, address(3)) and traces(tmp_path, address(7))
    erased = [*random.sample(range(400), 60), 3, 7]
    for person in erased[:20]:
        erase(store, [person])
    erase(store, erased[20:])
    store.privacy.scrub()
    assert {person: files for person in erased if (files := traces(tmp_path, address(person)))} == {}
    kept = next(person for person in range(400) if person not in erased)
    assert traces(tmp_path, address(kept)) == ["people.db"]
    # Nor does loading everything again bring a byte of it back.
    run = begin(store)
    for start in range(0, len(events), 100):
        piece = events[start : start + 100]
        refused = [Refused(Origin(1, 0, each.id.encode() * 40), "NOT_JSON", each.id) for each in piece[::10]]
        origins = [Origin(n, n, each.id.encode()) for n, each in enumerate(piece)]
        run = store.evidence.append(run, Batch(piece, origins, refused, position=start + 100))
    assert run.accepted == 0 and run.suppressed > 0
    assert {person: files for person in erased if (files := traces(tmp_path, address(person)))} == {}
    store.close()


def test_the_key_is_for_its_owner_alone(url: str, tmp_path: Path) -> None:
    store = open_store(url)
    assert not (tmp_path / "people.db.key").exists()
    erase(store, [1])
    assert (tmp_path / "people.db.key").stat().st_mode & 0o777 == 0o600
    assert len((tmp_path / "people.db.key").read_bytes()) == 32
    assert sorted(path.name for path in tmp_path.iterdir() if "key" in path.name) == ["people.db.key"]
    store.close()


def test_a_key_that_is_missing_or_another_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "people.db"
    key = tmp_path / "people.db.key"

    def failure() -> StoreError:
        store = SqliteStore(str(path))
        run = begin(store)
        before = store.operations.counts()
        with pytest.raises(StoreError) as caught:
            store.evidence.append(run, Batch([event("a", "cookie:1")], [Origin(1, 0, b"")]))
        assert store.operations.counts() == before
        store.close()
        return caught.value

    store = SqliteStore(str(path))
    erase(store, [1])
    store.close()
    right = key.read_bytes()
    key.unlink()
    assert (failure().code, key.exists()) == ("STORE_KEY", False)
    for wrong in (b"", b"short", bytes(32), right + b"\n"):
        key.write_bytes(wrong)
        assert failure().code == "STORE_KEY"
    key.unlink()
    key.mkdir()
    assert failure().code == "STORE_KEY"
    for text in ("no hex", "ab" * 31, "00" * 32):
        monkeypatch.setenv("IDENTITY_GRAPH_TOMBSTONE_KEY", text)
        assert failure().code == "STORE_KEY"
    monkeypatch.setenv("IDENTITY_GRAPH_TOMBSTONE_KEY", right.hex())
    store = SqliteStore(str(path))
    assert store.privacy.tombstoned([Identifier("email", address(1)), Identifier("email", address(2))]) == [True, False]
    store.close()


def test_the_key_of_the_environment_writes_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IDENTITY_GRAPH_TOMBSTONE_KEY", "5a" * 32)
    store = open_store(f"sqlite:///{tmp_path / 'people.db'}")
    erase(store, [1])
    assert not (tmp_path / "people.db.key").exists()
    store.close()


def test_a_reader_of_what_was_deleted_is_waited_for(tmp_path: Path) -> None:
    path = str(tmp_path / "people.db")
    store, reader = SqliteStore(path, busy_timeout=0.2), SqliteStore(path)
    store.evidence.append(begin(store), Batch([of(1, 1, Random(1))], [Origin(1, 0, b"")]))
    lines = reader.operations.canonical_lines()
    next(lines)
    erase(store, [1])
    with pytest.raises(StoreError) as caught:
        store.privacy.scrub()
    assert caught.value.code == "STORE_BUSY"
    lines.close()  # type: ignore[attr-defined]
    store.privacy.scrub()
    assert traces(tmp_path, address(1)) == []
    store.close()
    reader.close()


def test_scrubbing_inside_a_transaction_is_refused(tmp_path: Path) -> None:
    store = SqliteStore(str(tmp_path / "people.db"), busy_timeout=0.1)
    with pytest.raises(StoreError) as caught, store.transaction():
        erase(store, [1])
        store.privacy.scrub()
    assert caught.value.code == "STORE_BUSY"
    store.close()
