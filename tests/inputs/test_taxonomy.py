"""Bad input class by class, as a list of what identity data brings: each case has its code, or the one form in which it
is kept, by every way in where it can be said. Three thousand values of the classes of texts are in `test_naughty`."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from starlette.testclient import TestClient

from identity_graph import IdentityGraph
from identity_graph.api import create_app
from identity_graph.errors import CODES, SET_ASIDE, InputError
from identity_graph.loaders import read_loader
from tests.api.conftest import PATIENT, operation_text
from tests.conftest import Clock
from tests.story.ingesting import EVENTS, counts

GOOD = {"id": "good", "time": "2025-06-01T00:00:00Z", "name": "Seen", "identifiers": {"user_id": "u"}}
DEEP = b"[" * 90 + b"]" * 90
STORED = "stored"
WHOLE = "the whole request"


@pytest.fixture
def graph(clock: Clock) -> Iterator[IdentityGraph]:
    with IdentityGraph.open("sqlite:///:memory:", clock=clock) as opened:
        yield opened


# ---- one record, with a good one before and after it ----------------------------------------------------------------


class Case(NamedTuple):
    """`text` is the JSON of one member of the event (of the event, where there is no `member`): what becomes of it as a
    line of a file, in a batch of the tracking API, and as a variable of GraphQL; None: it cannot be said there."""

    member: str
    text: bytes
    file: str
    tracking: str | None
    graphql: str | None


def same(member: str, text: bytes, code: str) -> Case:
    return Case(member, text, code, code, code)


RECORDS = {
    # Encoding
    "invalid UTF-8": Case("note", b'"\xff"', "NOT_UTF8", WHOLE, WHOLE),
    "overlong UTF-8": Case("note", b'"\xc0\xaf"', "NOT_UTF8", WHOLE, WHOLE),
    "a surrogate in UTF-8": Case("note", b'"\xed\xa0\x80"', "UTF8_SURROGATE", WHOLE, WHOLE),
    "half of a surrogate pair": Case("note", b'"\\ud83d"', "TEXT_SURROGATE", "TEXT_SURROGATE", WHOLE),
    "NUL in an identifier": same("user_id", b'"a\\u0000b"', "VALUE_CONTROL"),
    "NUL in an id": same("id", b'"a\\u0000b"', "TEXT_INVALID"),
    "NUL in a property": same("note", b'"a\\u0000b"', STORED),
    # Size
    "an identifier of 513 characters": same("user_id", b'"' + b"x" * 513 + b'"', "VALUE_TOO_LONG"),
    "an identifier of 512 characters": same("user_id", b'"' + b"x" * 512 + b'"', STORED),
    "an id of 257 characters": same("id", b'"' + b"x" * 257 + b'"', "EVENT_ID_TOO_LONG"),
    "a record of two mebibytes": Case("note", b'"' + b"x" * (2 << 20) + b'"', "RECORD_TOO_LARGE", WHOLE, WHOLE),
    "a record of 40 KiB": Case("note", b'"' + b"x" * 40_000 + b'"', STORED, "MESSAGE_TOO_LARGE", STORED),
    "ten thousand members": Case(
        "note", b"{" + b",".join(b'"c%d":1' % n for n in range(10_000)) + b"}", STORED, "MESSAGE_TOO_LARGE", STORED
    ),
    # Numbers
    "a whole number of 65 bits": same("note", b"36893488147419103232", "NUMBER_RANGE"),
    "a number of 5,000 digits": Case("note", b"9" * 5_000, "NUMBER_RANGE", WHOLE, WHOLE),
    "NaN": Case("note", b"NaN", "NUMBER_NOT_FINITE", "NUMBER_NOT_FINITE", WHOLE),
    "1e999": Case("note", b"1e999", "NUMBER_RANGE", "NUMBER_RANGE", WHOLE),
    "-1e999 inside": Case("note", b'[{"a": -1.5E+999}]', "NUMBER_RANGE", "NUMBER_RANGE", WHOLE),
    "-0": same("note", b"-0", STORED),
    "-0.0": same("note", b"-0.0", STORED),
    "2^63": same("note", b"9223372036854775808", STORED),
    "an identifier that is a whole number": Case("user_id", b"7", STORED, STORED, None),
    "an identifier that is 2^53 + 1 as a fraction": Case(
        "user_id", b"9007199254740994.0", "VALUE_ROUNDED", "VALUE_ROUNDED", None
    ),
    "an identifier that is a fraction": Case("user_id", b"7.5", "VALUE_FRACTION", "VALUE_FRACTION", None),
    "an identifier that is a truth value": Case("user_id", b"true", "VALUE_INVALID", "VALUE_INVALID", None),
    "Infinity": Case("note", b"Infinity", "NUMBER_NOT_FINITE", "NUMBER_NOT_FINITE", WHOLE),
    "an identifier that is an object": Case("user_id", b'{"a": 1}', "VALUE_INVALID", "VALUE_INVALID", None),
    # JSON
    "deep nesting": Case("note", DEEP, "RECORD_TOO_DEEP", "RECORD_TOO_DEEP", WHOLE),
    "an object cut off": Case("", b'{"id": "bad", "time": ', "JSON_CUT", WHOLE, WHOLE),
    "a tab inside a text": Case("note", b'"a\tb"', "JSON_CONTROL", WHOLE, WHOLE),
    "what a disk leaves after a power cut": Case("", bytes(40), "NUL_BYTES", WHOLE, WHOLE),
    "plain words": Case("", b"GET / 200", "NOT_JSON", WHOLE, WHOLE),
    "a key twice": Case("note", b'{"a": 1, "a": 2}', "KEY_REPEATED", "KEY_REPEATED", WHOLE),
    "a key twice, once escaped": Case("note", b'{"a": 1, "\\u0061": 1}', "KEY_REPEATED", "KEY_REPEATED", WHOLE),
    "data behind it": Case("", b"{} {}", "JSON_AFTER", WHOLE, WHOLE),
    "a byte order mark inside": Case("", b"\xef\xbb\xbf{}", "BOM_INSIDE", WHOLE, WHOLE),
    "single quotes": Case("", b"{'id': 1}", "NOT_JSON", WHOLE, WHOLE),
    "a list": Case("", b"[]", "NOT_OBJECT", "NOT_OBJECT", WHOLE),
    # Ids and names
    "an id that is an object": Case("id", b'{"a": 1}', "EVENT_ID_INVALID", "EVENT_ID_INVALID", WHOLE),
    "an id of blanks": same("id", b'"  "', "EVENT_ID_INVALID"),
    "no name": Case("name", b'""', "EVENT_NAME_MISSING", None, "EVENT_NAME_MISSING"),
    "a name that is a number": Case("name", b"7", "EVENT_NAME_INVALID", None, WHOLE),
    "a name of 257 characters": Case(
        "name", b'"' + b"x" * 257 + b'"', "EVENT_NAME_TOO_LONG", None, "EVENT_NAME_TOO_LONG"
    ),
    "a source that is a number": Case("source", b"7", "EVENT_SOURCE_INVALID", None, WHOLE),
    "traits that are a list": Case("traits", b"[1]", "OBJECT_INVALID", "OBJECT_INVALID", "OBJECT_INVALID"),
    # Nulls as words, and nothing at all
    "no identifier": Case("nobody", b"1", "IDENTIFIER_EMPTY", "NO_IDENTIFIER", "NO_IDENTIFIER"),
    "a mark that nobody sees": same("user_id", b'"\\u200b"', "VALUE_EMPTY"),
    "null": Case("user_id", b"null", "IDENTIFIER_EMPTY", "IDENTIFIER_EMPTY", WHOLE),
    "nothing": Case("user_id", b'""', "IDENTIFIER_EMPTY", "IDENTIFIER_EMPTY", "IDENTIFIER_EMPTY"),
    "a word for nobody": same("user_id", b'"NULL"', STORED),
    # Time: the clock of the test stands at 2026-01-01
    "a clock that is a day ahead": same("time", b'"2026-01-02T00:00:01Z"', "TS_FUTURE"),
    "a clock that is nearly a day ahead": same("time", b'"2026-01-01T23:59:59Z"', STORED),
    "a clock that is a year behind": same("time", b'"2024-12-31T00:00:00Z"', STORED),
    "the year 10000": same("time", b'"10000-01-01T00:00:00Z"', "TS_RANGE"),
    "9999-12-31": same("time", b'"9999-12-31T23:59:59Z"', "TS_FAR_FUTURE"),
    "no time": same("time", b'"yesterday"', "TS_INVALID"),
    "the 30th of February": same("time", b'"2025-02-30T00:00:00Z"', "TS_IMPOSSIBLE"),
    "a day of some country": same("time", b'"31/12/2024"', "TS_LOCAL"),
    "the zero time of Go and .NET": same("time", b'"0001-01-01T00:00:00Z"', "TS_PAST"),
    "the zero time of spreadsheets": same("time", b'"1899-12-30T00:00:00Z"', "TS_PAST"),
    "the year 1900": same("time", b'"1900-01-01T00:00:00Z"', STORED),
    "no zone": same("time", b'"2025-06-01 00:00:00"', STORED),
    "a leap second": same("time", b'"2016-12-31T23:59:60Z"', "TS_IMPOSSIBLE"),
    "1e20 as a time": Case("time", b"1e20", "TS_RANGE", "TS_RANGE", "TS_INVALID"),
    "0 as a time": Case("time", b"0", "TS_PAST", "TS_PAST", "TS_INVALID"),
    "-1 as a time": Case("time", b"-1", "TS_PAST", "TS_PAST", "TS_INVALID"),
    "0 as a text": same("time", b'"0"', "TS_PAST"),
    "seconds": Case("time", b"1748736000", "TS_PAST", "TS_PAST", "TS_INVALID"),
    "seconds with a fraction": Case("time", b"1748736000.5", "TS_PAST", "TS_PAST", "TS_INVALID"),
    "seconds as a text": same("time", b'"1748736000"', "TS_PAST"),
    "milliseconds": Case("time", b"1748736000000", STORED, STORED, "TS_INVALID"),
    "milliseconds as a text": same("time", b'"1748736000000"', STORED),
    "microseconds": Case("time", b"1748736000000000", "TS_RANGE", "TS_RANGE", "TS_INVALID"),
    "nanoseconds": Case("time", b"1748736000000000000", "TS_RANGE", "TS_RANGE", "TS_INVALID"),
    "the first day of 1970": same("time", b'"1970-01-01"', STORED),
    "a day before 1970": same("time", b'"1960-06-01T00:00:00Z"', STORED),
    "a day before 1970 as eight digits": same("time", b'"19600601"', STORED),
    # Kinds of identifiers
    "an e-mail without @": same("email", b'"ann"', "EMAIL_NO_AT"),
    "an e-mail with a name": same("email", b'"Ann <ann@example.org>"', "EMAIL_NAMED"),
    "two e-mails": same("email", b'"ann@example.org; bob@example.org"', "EMAIL_SEVERAL"),
    "an e-mail without a domain": same("email", b'"ann@"', "EMAIL_DOMAIN"),
    "an e-mail of a domain without a period": same("email", b'"ann@localhost"', "EMAIL_DOMAIN"),
    "an e-mail of 300 characters": same("email", b'"' + b"a" * 290 + b'@example.org"', "EMAIL_TOO_LONG"),
    "an e-mail with a blank": same("email", b'"ann lee@example.org"', "EMAIL_INVALID"),
    "an e-mail with a Kelvin sign": same("email", b'"\\u212aate@example.org"', "VALUE_LOOKALIKE"),
    "a phone without a country": same("phone", b'"020 7946 0958"', "PHONE_NO_COUNTRY"),
    "a phone that is masked": same("phone", b'"+1 555 XXX 1234"', "PHONE_LETTERS"),
    "a phone that is too short": same("phone", b'"+44 20 79"', "PHONE_TOO_SHORT"),
    "a phone that is too long": same("phone", b'"+44 20 7946 0958 0958 1"', "PHONE_TOO_LONG"),
    "a phone of no country that there is": same("phone", b'"+999 123 456 789"', "PHONE_INVALID"),
    "an address with a port": same("ip", b'"192.0.2.1:443"', "IP_PORT"),
    "an address in brackets": same("ip", b'"[2001:db8::1]"', "IP_PORT"),
    "a chain of proxies": same("ip", b'"192.0.2.1, 10.0.0.1"', "IP_SEVERAL"),
    "a network": same("ip", b'"192.0.2.0/24"', "IP_NETWORK"),
    "an address that is none": same("ip", b'"192.0.2.256"', "IP_INVALID"),
    # Namespaces
    "a namespace of nothing": same("no namespace", b'"x"', "NAMESPACE_MISSING"),
    "a namespace that is none": Case("no name!", b'"x"', "NAMESPACE_INVALID", "NAMESPACE_INVALID", "NAMESPACE_INVALID"),
}


SPACES = {
    "user_id": "user_id",
    "no name!": "no name!",
    "no namespace": "",
    "email": "email",
    "phone": "phone",
    "ip": "ip",
}
"""Members that are identifiers, with their namespaces."""


def split(case: Case, members: dict[str, bytes]) -> tuple[dict[str, bytes], dict[str, bytes]]:
    """The event's members with the case's, and its identifiers by namespace."""
    members = members | {case.member: case.text}
    named = {SPACES[name]: members.pop(name) for name in SPACES if name in members}
    if members.pop("nobody", None):
        named = {}
    return members, named


def as_event(case: Case) -> bytes:
    """As a line of a file of events."""
    if not case.member:
        return case.text
    least = {"id": b'"bad"', "time": b'"2025-06-01T00:00:00Z"', "name": b'"Seen"', "user_id": b'"u"'}
    members, named = split(case, least)
    return joined(members | {"identifiers": joined(named)})


def as_message(case: Case) -> bytes:
    """As a message of the tracking API."""
    if not case.member:
        return case.text
    least = {"id": b'"bad"', "time": b'"2025-06-01T00:00:00Z"', "user_id": b'"u"'}
    members, named = split(case, least)
    names = {"id": "messageId", "time": "timestamp"}
    if "user_id" in named:
        members["userId"] = named.pop("user_id")
    if named:
        external = b", ".join(b'{"type": "%s", "id": %s}' % (name.encode(), value) for name, value in named.items())
        members["context"] = b'{"externalIds": [%s]}' % external
    return joined({"type": b'"track"', "event": b'"Seen"'} | {names.get(name, name): v for name, v in members.items()})


def as_variable(case: Case) -> bytes:
    """As an event of the mutation `ingest`."""
    if not case.member:
        return case.text
    least = {"id": b'"bad"', "time": b'"2025-06-01T00:00:00Z"', "source": b'"s"', "name": b'"Seen"', "user_id": b'"u"'}
    members, named = split(case, least)
    if "note" in members:
        members["properties"] = b'{"note": %s}' % members.pop("note")
    given = b", ".join(b'{"namespace": "%s", "value": %s}' % (name.encode(), v) for name, v in named.items())
    return joined(members | {"identifiers": b"[%s]" % given})


def joined(members: dict[str, bytes]) -> bytes:
    return b"{" + b", ".join(b'"%s": %s' % (name.encode(), value) for name, value in members.items()) + b"}"


def outcome(graph: IdentityGraph, good: int) -> str:
    """What became of the bad one between good ones, after checking that these are kept and that all are counted."""
    runs = [run for run in graph.store.operations.runs() if run.kind != "resolve"]
    assert [counts(run)[0] for run in runs] == [good + 1]
    aside = graph.store.operations.quarantined()
    assert graph.store.operations.counts()["events"] == good + 1 - len(aside)
    if not aside:
        return STORED
    (one,) = aside
    assert one.line == 2 and one.code in SET_ASIDE and one.message and one.help
    return one.code


@pytest.mark.parametrize("name", RECORDS)
def test_a_bad_record_in_a_file(name: str, graph: IdentityGraph, tmp_path: Path) -> None:
    case = RECORDS[name]
    path = tmp_path / "events.jsonl"
    good = [json.dumps(GOOD | {"id": f"good-{n}"}).encode() for n in range(2)]
    path.write_bytes(b"\n".join([good[0], as_event(case), good[1]]) + b"\n")
    graph.ingest.load(EVENTS, path)
    assert outcome(graph, 2) == case.file


@pytest.mark.parametrize("name", [name for name, case in RECORDS.items() if case.tracking])
def test_a_bad_message_in_a_batch(name: str, graph: IdentityGraph) -> None:
    case = RECORDS[name]
    good = [json.dumps({"type": "track", "event": "Seen", "userId": "u", "messageId": f"m{n}"}).encode() for n in "12"]
    body = b'{"batch": [%s]}' % b", ".join([good[0], as_message(case), good[1]])
    with TestClient(create_app(graph, terms=PATIENT)) as client:
        answer = client.post("/v1/batch", content=body, headers={"authorization": "Basic YTo="})
    if case.tracking == WHOLE:
        assert (answer.status_code, answer.json()["code"]) in ((400, "MESSAGE_INVALID"), (413, "MESSAGE_TOO_LARGE"))
        assert graph.store.operations.counts()["events"] == 0
    else:
        assert answer.status_code == 200
        assert outcome(graph, 2) == case.tracking


@pytest.mark.parametrize("name", [name for name, case in RECORDS.items() if case.graphql])
def test_a_bad_event_in_a_mutation(name: str, graph: IdentityGraph) -> None:
    case = RECORDS[name]
    good = [as_variable(Case("id", b'"good-%d"' % n, "", None, None)) for n in range(2)]
    query = json.dumps(operation_text("ingest")).encode()
    events = b", ".join([good[0], as_variable(case), good[1]])
    body = b'{"query": %s, "variables": {"events": [%s]}}' % (query, events)
    client = TestClient(create_app(graph, terms=PATIENT))
    answer = client.post("/graphql", content=body, headers={"content-type": "application/json"})
    assert answer.status_code < 500
    errors = answer.json().get("errors")
    if errors:  # what GraphQL's own types refuse is refused with its request
        assert graph.store.operations.counts()["events"] == 0
        code = errors[0]["extensions"]["code"]
        assert case.graphql == WHOLE or code == case.graphql, code
        assert code in CODES.keys() - {"INTERNAL"}
    else:
        assert outcome(graph, 2) == case.graphql


# ---- a file as a whole ----------------------------------------------------------------------------------------------

HEADER = "change_id,contact_id,email,city,updated_at"
ROW = "{n},u{n},p{n}@example.org,{city},2025-01-01T00:00:00Z"


def table(*cities: str, end: str = "\n", header: str = HEADER) -> str:
    return end.join([header, *(ROW.format(n=number, city=city) for number, city in enumerate(cities))]) + end


FILES: dict[str, tuple[bytes, str | dict[int, str] | list[str]]] = {
    # A list: what the cities of the stored events are; a dictionary: codes by line; a text: the code of the file.
    "a byte order mark": (b"\xef\xbb\xbf" + table("Ulm").encode(), ["Ulm"]),
    "CRLF": (table("Ulm", '"a\r\nb"', end="\r\n").encode(), ["Ulm", "a\r\nb"]),
    "CR alone": (table("Ulm", end="\r").encode(), "SOURCE_FORMAT"),
    "a delimiter inside quotes": (table('"a,b"').encode(), ["a,b"]),
    "a quote inside quotes": (table('"say ""a"""').encode(), ['say "a"']),
    "a line end inside quotes": (table('"a\nb"').encode(), ["a\nb"]),
    "another delimiter": (table("Ulm").replace(",", ";").encode(), "SOURCE_COLUMNS"),
    "blanks around the header": (table("Ulm", header=HEADER.replace(",", " , ")).encode(), ["Ulm"]),
    "a row that is too long": (table("a,b").encode(), {2: "RAGGED_ROW"}),
    "a row that is too short": (f"{HEADER}\n1,u1\n".encode(), []),
    "a row that was cut": ((table("Ulm") + "1,u1").encode(), {3: "ROW_CUT"}),
    "a row whose end alone was cut": (table("Ulm").encode().rstrip(), ["Ulm"]),
    "the beginning of a row, behind a line end inside quotes": ((table("Ulm") + '1,"a\n').encode(), {3: "QUOTE_OPEN"}),
    "a quote that does not close": (table('"a', "Ulm").encode(), {2: "QUOTE_OPEN"}),
    "a column twice": (table("Ulm", header="change_id,email,email,city,updated_at").encode(), "SOURCE_FORMAT"),
    "no header": (b"", "SOURCE_FORMAT"),
    "Latin-1": (table("K\u00f6ln", "Ulm").encode("latin-1"), {2: "NOT_UTF8"}),
    "a quoted field that goes on": (table('"a" b', "Ulm").encode(), {2: "QUOTE_INSIDE"}),
    "UTF-16": (table("Ulm").encode("utf-16"), "SOURCE_FORMAT"),
    "UTF-16 without a mark": (table("Ulm").encode("utf-16-le"), "SOURCE_COLUMNS"),
    "a field of 131,073 characters": (table("x" * 131_073).encode(), ["x" * 131_073]),
    "ten thousand columns": (
        f"{HEADER},{','.join(f'c{n}' for n in range(10_000))}\n{ROW.format(n=1, city='Ulm')}{',1' * 10_000}\n".encode(),
        ["Ulm"],
    ),
    "words for null": (table("NULL", "N/A", "").encode(), ["NULL", "N/A"]),
    "a formula": (table('"=HYPERLINK(""http://a.example"")"').encode(), ['=HYPERLINK("http://a.example")']),
    "a zip archive": (b"PK\x03\x04" + bytes(40), "SOURCE_FORMAT"),
    "gzip that ends in the middle": (gzip.compress(table("Ulm").encode())[:-9], "SOURCE_TRUNCATED"),
    "gzip in gzip": (gzip.compress(gzip.compress(table("Ulm").encode())), "SOURCE_FORMAT"),
}


@pytest.mark.parametrize("name", FILES)
def test_a_bad_file(name: str, graph: IdentityGraph, tmp_path: Path) -> None:
    content, expected = FILES[name]
    path = tmp_path / "contacts.csv"
    path.write_bytes(content)
    try:
        graph.ingest.load(read_loader("crm"), path, time=0)
        failed = ""
    except InputError as error:
        failed = error.code
        assert error.code in CODES and "contacts.csv" in error.message and error.help
    assert failed == (expected if isinstance(expected, str) else "")
    runs = graph.store.operations.runs()  # none of what is plainly no table
    read = sum(counts(run)[0] for run in runs)
    aside = {one.line: one.code for one in graph.store.operations.quarantined()}
    assert aside == (expected if isinstance(expected, dict) else {})
    rows = [row for row in graph.store.evidence.events([f"crm:{n}" for n in range(read + 2)]) if row]
    assert len(rows) == sum(run.accepted for run in runs) == read - len(aside)
    if isinstance(expected, list):
        assert [row.event.traits["city"] for row in rows if "city" in row.event.traits] == expected


# ---- what a loader says of its source -------------------------------------------------------------------------------

ORDERS = """
source = "orders"
format = "{format}"
{more}
[event]
id = "id"
time = "time"
name = {{ value = "Seen" }}
[identifiers]
user_id = "user"
[traits]
text = {{ path = "text", type = "text" }}
amount = {{ path = "amount", type = "number" }}
paid = {{ path = "paid", type = "boolean" }}
"""
ORDER = '{"id": "1", "time": "2025-06-01", "user": "u", %s}'
LOADED: dict[str, tuple[str, str, str | bytes, str]] = {
    # the loader's format and what it says more, the file, and the code of its last record
    "words where a number should be": ("jsonl", "", ORDER % '"amount": "many"', "NUMBER_INVALID"),
    "a number with a comma": ("jsonl", "", ORDER % '"amount": "1.234,50"', "NUMBER_INVALID"),
    "a number of 30 digits": ("jsonl", "", ORDER % f'"amount": "{"9" * 30}"', "NUMBER_RANGE"),
    "neither true nor false": ("jsonl", "", ORDER % '"paid": "maybe"', "TRUTH_INVALID"),
    "an object where a text should be": ("jsonl", "", ORDER % '"text": {"a": 1}', "TYPE_INVALID"),
    "a text that should be JSON": ("jsonl", 'json = ["text"]', ORDER % '"text": "{"', "JSON_INSIDE"),
    "a line like no other": ("lines", "lines = { pattern = '{id} {time} {user}' }", "1 2025-06-01", "LINE_INVALID"),
    "a byte that cp1252 has not": (
        "csv",
        'csv = { encoding = "cp1252" }',
        b"id,time,user\n1,2025-06-01,\x81",
        "NOT_ENCODED",
    ),
}


@pytest.mark.parametrize("name", LOADED)
def test_a_record_that_is_not_as_its_loader_says(name: str, graph: IdentityGraph, tmp_path: Path) -> None:
    format, more, content, code = LOADED[name]
    (tmp_path / "orders.toml").write_text(ORDERS.format(format=format, more=more), encoding="utf-8")
    path = tmp_path / "orders"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    run = graph.ingest.load(read_loader(tmp_path / "orders.toml"), path)
    assert counts(run) == (1, 0, 0, 1, 0)
    assert [one.code for one in graph.store.operations.quarantined()] == [code]


def test_a_time_of_another_form_than_the_loader_names(graph: IdentityGraph, tmp_path: Path) -> None:
    said = ORDERS.format(format="jsonl", more="").replace('time = "time"', 'time = "time"\ntime_format = "%d/%m/%Y"')
    (tmp_path / "orders.toml").write_text(said, encoding="utf-8")
    path = tmp_path / "orders"
    path.write_text('{"id": "1", "time": "31/12/2024", "user": "u"}\n{"id": "2", "time": "12/31/2024", "user": "u"}\n')
    assert counts(graph.ingest.load(read_loader(tmp_path / "orders.toml"), path)) == (2, 1, 0, 1, 0)
    assert [one.code for one in graph.store.operations.quarantined()] == ["TS_FORMAT"]


def test_every_code_of_quarantine_is_reached_by_a_case_above() -> None:
    reached = {code for case in RECORDS.values() for code in (case.file, case.tracking, case.graphql)}
    reached |= {code for _, codes in FILES.values() if isinstance(codes, dict) for code in codes.values()}
    reached |= {code for *_, code in LOADED.values()} | {"TS_FORMAT", "ID_REUSE"}
    reached |= {"NOT_CANONICAL"}  # of events that a program made, in `tests/story/test_replay.py`
    assert reached - {STORED, WHOLE, None} == SET_ASIDE
    assert len(SET_ASIDE) >= 40


# ---- the same again, but not quite ----------------------------------------------------------------------------------

AGAIN: dict[str, tuple[dict[str, Any], str, str]] = {
    "the same": ({}, "duplicate", ""),
    "keys in another order": ({"traits": {"b": 2, "a": 1}}, "duplicate", ""),
    "the time in another zone": ({"time": "2025-06-01T02:00:00+02:00"}, "duplicate", ""),
    "an identifier spelled otherwise": ({"identifiers": {"user_id": " u "}}, "duplicate", ""),
    "another id": ({"id": "other"}, "accepted", ""),
    "the id in another case": ({"id": "GOOD"}, "accepted", ""),
    "another time": ({"time": "2025-06-01T00:00:01Z"}, "quarantined", "time"),
    "another name": ({"name": "seen"}, "quarantined", "name"),
    "another identifier": ({"identifiers": {"user_id": "U"}}, "quarantined", "identifiers"),
    "another trait": ({"traits": {"a": 1, "b": 3}}, "quarantined", "traits.b"),
    "a number as text": ({"traits": {"a": "1", "b": 2}}, "quarantined", "traits.a"),
    "a trait less": ({"traits": {"a": 1}}, "quarantined", "traits"),
    "a property more": ({"properties": {"c": {"d": 1}}}, "quarantined", "properties.c"),
}


@pytest.mark.parametrize("name", AGAIN)
def test_an_id_once_more(name: str, graph: IdentityGraph, tmp_path: Path) -> None:
    change, became, fields = AGAIN[name]
    first = GOOD | {"traits": {"a": 1, "b": 2}}
    path = tmp_path / "events.jsonl"
    path.write_text(f"{json.dumps(first)}\n{json.dumps(first | change)}\n", encoding="utf-8")
    run = graph.ingest.load(EVENTS, path)
    assert counts(run)[0] == 2
    assert getattr(run, became) == (2 if became == "accepted" else 1)
    aside = graph.store.operations.quarantined()
    assert [one.code for one in aside] == (["ID_REUSE"] if fields else [])
    assert all(one.message.endswith(f"differs in: {fields}") for one in aside)
