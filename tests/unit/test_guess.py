"""Loaders that are guessed: what the columns' names and values say, and that the guess reads what it was made from."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from identity_graph.errors import InputError
from identity_graph.loaders import Loader, known_loaders, parse_loader, read_loader, try_file
from identity_graph.loaders.clues import namespace, time_form, trait
from identity_graph.loaders.guess import guess
from identity_graph.model import Event
from identity_graph.times import parse_time
from identity_graph.world import NAMES, World
from tests.loader_samples import NOW, sample_file

GUESSABLE = sorted(set(known_loaders()) - {"access_log", "events", "graphql", "snowplow"})
"""All but those whose identifiers have no columns of their own, and whose columns have no names."""


LATER = parse_time("2030-01-01")
"""A world goes on after the samples: none of its times is in the future by then."""


def said(event: Event | None) -> object:
    return event and (event.id, event.time, frozenset(event.identifiers))


def events(loader: Loader, path: Path) -> list[Event | None]:
    found = try_file(loader, path, received=LATER, time=NOW)
    return [event if isinstance(event, Event) else None for _, event in found]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("world")
    World(40, 3).write(folder)
    return folder


@pytest.mark.parametrize("name", NAMES)
def test_a_guess_is_what_ships_for_the_files_of_a_world(name: str, world: Path) -> None:
    path = world / NAMES[name]
    guessed, shipped = parse_loader(guess(path)), read_loader(name)
    for found, expected in zip(events(guessed, path), events(shipped, path), strict=True):
        assert said(found) == said(expected)
    if shipped.file.form.format == "csv":
        assert set(guessed.file.identifiers) == set(shipped.file.identifiers)
        traits = {field.name: field.paths for field in shipped.file.traits if field.name != "points"}
        assert {field.name: field.paths for field in guessed.file.traits}.items() >= traits.items()


@pytest.mark.parametrize("name", GUESSABLE)
def test_a_guess_reads_the_sample_of_a_loader(name: str) -> None:
    path = sample_file(name)
    found = [event for event in events(parse_loader(guess(path)), path) if event]
    shipped = [event for event in events(read_loader(name), path) if event]
    values = {identifier.value for event in shipped for identifier in event.identifiers}
    assert found
    assert len(values & {identifier.value for event in found for identifier in event.identifiers}) >= 0.5 * len(values)


@pytest.mark.parametrize(
    ("name", "values", "expected"),
    [
        ("kontakt", ["ann@example.org", "bob@example.org"], "email"),
        ("email", ["ann@example.org", "none", "none"], "email"),
        ("email_type", ["work", "home"], None),
        ("mobile", ["+1 617 555 0142", "(617) 555-0143"], "phone"),
        ("amount", ["1234567", "7654321"], None),
        ("remote_addr", ["192.0.2.1", "2001:db8::1"], "ip"),
        ("context.device.id", ["x"], "device_id"),
        ("userId", ["7"], "user_id"),
        ("customer", ["Ann"], None),
        ("card_type", ["visa"], None),
        ("visitorID", ["v-1"], "anonymous_id"),
        ("order_id", ["o-1"], None),
    ],
)
def test_namespaces(name: str, values: list[str], expected: str | None) -> None:
    clue = namespace(name, values)
    assert (clue and clue.what) == expected


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["2026-01-02T03:04:05Z"], "iso"),
        (["2026-01-02 03:04:05"], "iso"),
        (["2026-01-02 03:04:05 -0500"], "%Y-%m-%d %H:%M:%S %z"),
        (["02/Jan/2026:03:04:05 +0000"], "%d/%b/%Y:%H:%M:%S %z"),
        (["1767323045"], "s"),
        (["1767323045678"], "ms"),
        (["1767323045678901"], "us"),
        (["1990-02-03"], None),
        (["9767323045"], None),
        (["soon"], None),
        ([], None),
    ],
)
def test_times(values: list[str], expected: str | None) -> None:
    clue = time_form(values)
    assert (clue and clue.what) == expected


def test_traits() -> None:
    assert [trait(name) for name in ("first_name", "Last Name", "dateOfBirth", "sku")] == [
        "firstName",
        "lastName",
        "birthday",
        None,
    ]


def test_how_a_table_is_written(tmp_path: Path) -> None:
    path = tmp_path / "Kunden 2026.csv"
    path.write_bytes("Kundenname;E-Mail;Phone\nZoë;zoe@example.org;'+16175550142\n".encode("cp1252"))
    text = guess(path)
    assert """csv = { delimiter = ";", encoding = "cp1252", text_mark = "'" }""" in text.splitlines()
    loader = parse_loader(text)
    (event,) = events(loader, path)
    assert event and loader.source == "kunden_2026"
    assert [identifier.key for identifier in event.identifiers] == ["email:zoe@example.org", "phone:+16175550142"]
    assert event.properties == {"Kundenname": "Zoë"}


@pytest.mark.parametrize(
    ("name", "ids", "within"),
    [
        ("id", ["1", "2"], True),
        ("order_id", ["o-1", "o-2"], True),
        ("message_id", ["1", "2"], True),
        ("eventId", ["ajs-1f", "ajs-2f"], False),
        ("id", ["8692ff2f-8942-42ab-90e8-7a7fac3e433a", "be04f891-90ff-072e-ba57-4270adb50c85"], False),
    ],
)
def test_ids_that_other_tables_may_have(name: str, ids: list[str], within: bool, tmp_path: Path) -> None:
    path = tmp_path / "shop.csv"
    path.write_text(f"{name},type,email,created_at\n" + "".join(f"{id},x,a@x.org,2025-06-01T10:00Z\n" for id in ids))
    file = parse_loader(guess(path)).file
    assert ([path.text for path in file.id], file.id_within_source) == ([name], within)


def test_what_cannot_be_guessed(tmp_path: Path) -> None:
    for content, code in (("a,b\n1,2\n", "NO_IDENTIFIER"), ("a,b\n", "SOURCE_FORMAT"), ("", "SOURCE_FORMAT")):
        path = tmp_path / "a.csv"
        path.write_text(content, encoding="utf-8")
        with pytest.raises(InputError) as raised:
            guess(path)
        assert raised.value.code == code
    with pytest.raises(InputError) as raised:
        guess(tmp_path / "gone.csv")
    assert raised.value.code == "SOURCE_MISSING"


@given(st.dictionaries(st.text(max_size=6), st.text(max_size=6), max_size=4), st.text(min_size=1, max_size=4))
def test_any_names_make_a_loader_that_can_be_read(record: dict[str, str], inner: str) -> None:
    import json
    from tempfile import TemporaryDirectory

    with TemporaryDirectory() as folder:
        path = Path(folder) / "any.jsonl"
        try:
            path.write_text(json.dumps(record | {"x": {inner: "y"}, "m": "ann@example.org"}), encoding="utf-8")
            found = events(parse_loader(guess(path)), path)
        except InputError as error:
            assert error.code == "SOURCE_FORMAT"  # half of a surrogate pair: no record can be read
            return
    assert len(found) == 1
