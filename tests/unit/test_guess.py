"""Loaders that are guessed: what the columns' names and values say, and that the guess reads what it was made from."""

from __future__ import annotations

import json
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
        ("Customer No.", ["7"], "user_id"),
        ("customer_no_email", ["7"], None),
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


def guessed(tmp_path: Path, header: str, *rows: str, name: str = "table") -> str:
    path = tmp_path / f"{name}.csv"
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return guess(path)


def people(*more: str) -> list[str]:
    return [",".join([str(n), f"p{n}@example.org", *(one.format(n=n) for one in more)]) for n in range(1, 9)]


def why_no_id(text: str) -> str:
    (line,) = [line for line in text.splitlines() if line.startswith("# id: ")]
    assert line.endswith(", so the hash of the record is the id")
    return line.removeprefix("# id: ").partition(", so the hash")[0]


DAY_AT = "2025-06-0{n} 10:00"


@pytest.mark.parametrize(
    ("name", "header", "more", "event", "person"),
    [
        ("table", "id,email,first_name,updated_at", ["Ann", DAY_AT], "", "table_id"),
        ("customers", "id,email,created_at", [DAY_AT], "", "customers_id"),
        ("2025 users", "id,email,city", ["Ulm"], "", "2025_users_id"),
        ("table", "id,email,name,created_at", ["Ann {n}", DAY_AT], "", "table_id"),
        ("table", "id,email,name,created_at", ["Signed Up", DAY_AT], "id", ""),
        ("table", "id,email,type,created_at", ["x", DAY_AT], "id", ""),
        ("table", "id,email,amount,date", ["{n}.5", "2025-06-0{n}"], "id", ""),
        ("table", "id,email,amount", ["{n}.5"], "", ""),
        ("table", "id,email,amount,created_at,updated_at", ["{n}.5", DAY_AT, DAY_AT], "", ""),
        ("table", "id,email,last_name,amount,created_at", ["Lee", "{n}.5", DAY_AT], "", ""),
        ("table", "order_id,email,amount,created_at", ["{n}.5", DAY_AT], "order_id", ""),
        ("table", "Order Number,email,status", ["open"], "Order Number", ""),
        ("table", "order_id,email,status,updated_at", ["open", DAY_AT], "", ""),
        ("table", "change_id,email,first_name,updated_at", ["Ann", DAY_AT], "change_id", ""),
        ("table", "customer_id,email,amount,created_at", ["{n}.5", DAY_AT], "", "user_id"),
        ("table", "Customer Number,email,city", ["Ulm"], "", "user_id"),
        ("table", "Customer Phone Number,email,amount,at", ["{n}.5", DAY_AT], "", ""),
    ],
)
def test_whose_an_id_is(name: str, header: str, more: list[str], event: str, person: str, tmp_path: Path) -> None:
    text = guessed(tmp_path, header, *people(*more), name=name)
    file = parse_loader(text).file
    assert "".join(path.text for path in file.id) == event and (event or why_no_id(text))
    assert [namespace for namespace, _ in file.identifiers if namespace != "email"] == ([person] if person else [])


def test_a_changed_row_of_a_guessed_table_is_another_event(tmp_path: Path) -> None:
    path = tmp_path / "customers.csv"
    text = guessed(tmp_path, "id,email,first_name,updated_at", *people("Ann", DAY_AT), name="customers")
    before = events(parse_loader(text), path)
    guessed(tmp_path, "id,email,first_name,updated_at", *people("Eve", DAY_AT), name="customers")
    after = events(parse_loader(text), path)
    assert not {one.id for one in before if one} & {one.id for one in after if one}
    assert {one.traits["firstName"] for one in after if one} == {"Eve"}


def test_why_there_is_no_id(tmp_path: Path) -> None:
    said = {
        "customer_id,email": "customer_id is the person's, of whom there may be more than one event",
        "n,email": "no column is called as ids are",
        "order_id,email": "order_id has no value of its own in every record",
    }
    for header, why in said.items():
        rows = [row.replace("2,", "1,") for row in people()] if header.startswith("order") else people()
        assert why_no_id(guessed(tmp_path, header, *rows)) == why


@pytest.mark.parametrize(
    ("column", "value", "form"),
    [
        ("created_at", "2025-01-0{n}", ""),
        ("Date", "0{n}.12.2025", "%d.%m.%Y"),
        ("Order Date", "{n}/25/2025", "%m/%d/%Y"),
        ("signup date", "25/{n}/2025", "%d/%m/%Y"),
        ("created", "25 Jan 202{n}", "%d %b %Y"),
        ("updated_at", "Jan 25, 201{n}", "%b %d, %Y"),
    ],
)
def test_days_are_times_where_the_column_is_called_so(column: str, value: str, form: str, tmp_path: Path) -> None:
    text = guessed(tmp_path, f"n,email,{column}", *people(f'"{value}"'))
    file = parse_loader(text).file
    assert [path.text for path in file.time] == [column] and (file.time_format or "") == form
    assert len([event for event in events(parse_loader(text), tmp_path / "table.csv") if event]) == 8


def test_what_no_value_tells_is_left_to_fill_in(tmp_path: Path) -> None:
    text = guessed(tmp_path, "n,email,date", *people("0{n}/02/2025"))
    assert '# time_format = "%m/%d/%Y" or "%d/%m/%Y": no value tells which' in text.splitlines()
    assert not any(events(parse_loader(text), tmp_path / "table.csv"))
    for header, value in (("birth_date", "1990-02-0{n}"), ("expiry_date", "2027-02-0{n}"), ("note", "2025-01-0{n}")):
        assert "# time: no column has times" in guessed(tmp_path, f"n,email,{header}", *people(value))
    text = guessed(tmp_path, "n,email,ordered", *people(DAY_AT))
    assert "--time: ordered may be, but is not called so" in text


def test_traits_of_a_table_without_names(tmp_path: Path) -> None:
    text = guessed(tmp_path, "n,Mail,City,Zip,plan,Birthday", *people("Ulm", "89073", "pro", "1990-02-0{n}"))
    traits = {field.name: field.paths[0].text for field in parse_loader(text).file.traits}
    expected = {"email": "Mail", "city": "City", "postalCode": "Zip", "plan": "plan", "birthday": "Birthday"}
    assert traits == expected and dict(parse_loader(text).file.identifiers).keys() == {"email"}
    assert '[traits]  # facts about the person, by the columns\' names\nemail = "email"' in guessed(
        tmp_path, "n,email", *people()
    )


@pytest.mark.parametrize(
    ("numbers", "region"),
    [
        (["(617) 555-0142", "617-555-0143", "1.617.555.0144"], "US"),
        (["+1 617 555 0142", "+16175550143", "(617) 555-0144"], "US"),
        (["+44 20 7946 0958", "+44 20 7946 0959", "020 7946 0957"], "GB"),
        (["+49 30 901820", "+49 30 901821", "030 901822"], "DE"),
        (["+16175550142", "+31302345678", "617-555-0143"], "US"),
        (["+44 20 7946 0958", "617-555-0143"], None),
        (["+49 30 901820", "+44 20 7946 0958", "030 901822"], None),
        (["020 7946 0958", "020 7946 0957"], None),
        (["6175550142", "6175550143"], None),
    ],
)
def test_regions_of_numbers(numbers: list[str], region: str | None, tmp_path: Path) -> None:
    text = guessed(tmp_path, "email,phone", *(f"a@x.org,{number}" for number in numbers))
    assert parse_loader(text).file.phone_region == region
    assert ("# phone_region = " in text) == (region is None)


@pytest.mark.parametrize("column", ["id\n[x]", "id\x1b", "updated\r\nat", "date\n"])
def test_no_name_of_a_column_gets_out_of_its_comment(column: str, tmp_path: Path) -> None:
    path = tmp_path / "any.jsonl"
    record = {column: "2025-01-02 10:00", "at": "2025-01-02T10:00Z", "id": "1", "m": "ann@example.org"}
    for one in (record, record | {"at": None}, record | {"type": "x", "id": None}):
        path.write_text(f"{json.dumps(one)}\n{json.dumps(one)}\n")
        text = guess(path)
        assert parse_loader(text) and all(letter.isprintable() or letter == "\n" for letter in text)
