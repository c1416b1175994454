"""One record to one event: what a loader takes, what it refuses, and that nothing of a record is lost."""

from __future__ import annotations

import copy
import re
from datetime import UTC
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from identity_graph.errors import IdentityGraphError, InputError
from identity_graph.event_flaws import DAWN
from identity_graph.loaders import Loader, content_id, parse_loader, read_loader
from identity_graph.loaders.identifiers import KEPT_VALUES, Normaliser
from identity_graph.loaders.path import Path
from identity_graph.loaders.taken import remainder
from identity_graph.model import Event, Identifier
from identity_graph.times import DAY, NUMBERS_SINCE, format_time, parse_time

NOW = parse_time("2026-06-01T00:00:00Z")
LEAST = """
source = "shop"
[event]
id = "id"
time = "time"
name = { value = "Seen" }
[identifiers]
email = "email"
"""


def record(**more: Any) -> dict[str, Any]:
    return {"id": "e-1", "time": "2026-01-02T03:04:05Z", "email": "ann@example.org"} | more


def event(text: str, value: dict[str, Any], **options: Any) -> Event:
    return parse_loader(text).event(value, received=NOW, **options)


def code_of(text: str, value: dict[str, Any]) -> str:
    with pytest.raises(InputError) as refused:
        event(text, value)
    return refused.value.code


OTHERWISE = LEAST.replace('"email"', '{ path = ["email", "second"], otherwise = "written_email" }')


@pytest.mark.parametrize(
    ("value", "keys"),
    [
        ("Ann@Example.org", ["email:ann@example.org"]),
        (" 82 66 98 ", ["written_email:82 66 98"]),
        (826698, ["written_email:826698"]),
        ("Ann@@Example.org", ["written_email:Ann@@Example.org"]),
        ("n/a", ["email:n/a"]),  # a word that stands for nobody is known as one
        (None, []),
    ],
)
def test_a_value_of_another_form_may_be_an_identifier_of_another_namespace(value: object, keys: list[str]) -> None:
    found = event(OTHERWISE, record(email=value, second="eve@example.org"))
    assert [one.key for one in found.identifiers] == [*keys, "email:eve@example.org"]


@pytest.mark.parametrize(
    ("value", "code"), [("ann\0@example.org", "VALUE_CONTROL"), ("x" * 600, "VALUE_TOO_LONG"), (1.5, "VALUE_FRACTION")]
)
def test_what_is_no_value_of_any_namespace_is_refused_all_the_same(value: object, code: str) -> None:
    assert code_of(OTHERWISE, record(email=value)) == code


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"email": None}, "IDENTIFIER_EMPTY"),
        ({"email": "  "}, "IDENTIFIER_EMPTY"),
        ({"email": "ann at home"}, "EMAIL_NO_AT"),
        ({"email": {"a": 1}}, "VALUE_INVALID"),
        ({"email": True}, "VALUE_INVALID"),
        ({"id": "x" * 257}, "EVENT_ID_TOO_LONG"),
        ({"id": "   "}, "EVENT_ID_INVALID"),
        ({"id": 1.5}, "EVENT_ID_INVALID"),
        ({"id": True}, "EVENT_ID_INVALID"),
        ({"id": ["a"]}, "EVENT_ID_INVALID"),
        ({"id": "a\0b"}, "TEXT_INVALID"),
        ({"time": "yesterday"}, "TS_INVALID"),
        ({"time": ["2026"]}, "TS_INVALID"),
        ({"time": None}, "TS_INVALID"),
        ({"time": "10000-01-01T00:00:00Z"}, "TS_RANGE"),
        ({"time": 1e300}, "TS_RANGE"),
        ({"time": format_time(NOW + DAY + 1)}, "TS_FUTURE"),
    ],
)
def test_refused_records(change: dict[str, Any], code: str) -> None:
    assert code_of(LEAST, record(**change)) == code


@pytest.mark.parametrize(
    ("name", "flaw"),
    [(None, "MISSING"), ("", "MISSING"), (7, "INVALID"), ("x" * 257, "TOO_LONG"), ({"a": 1}, "INVALID")],
)
def test_refused_names(name: Any, flaw: str) -> None:
    assert code_of(LEAST.replace('{ value = "Seen" }', '"name"'), record(name=name)) == f"EVENT_NAME_{flaw}"


def test_a_refusal_does_not_say_whom() -> None:
    with pytest.raises(InputError) as refused:
        event(LEAST, record(email="ann smith@secret.example"))
    assert "secret" not in refused.value.message + refused.value.help


@pytest.mark.parametrize(("id", "expected"), [(7, "7"), (7.0, "7"), ("7", "7"), (-1, "-1"), (" a ", " a ")])
def test_ids(id: Any, expected: str) -> None:
    assert event(LEAST, record(id=id)).id == expected


WITHIN = LEAST.replace('id = "id"', 'id = { path = ["id", "number"], within = "source" }\nsource = "from"')


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, "shop:e-1"),
        ({"id": 7}, "shop:7"),
        ({"id": None, "number": 7}, "shop:7"),
        ({"id": " a "}, "shop: a "),
        ({"from": "b"}, "b:e-1"),
        ({"from": "b:e", "id": "f"}, "b%3Ae:f"),
        ({"from": "b", "id": "e:f"}, "b:e:f"),
        ({"from": "b%3Ae", "id": "f"}, "b%253Ae:f"),
        ({"id": "x" * 251}, "shop:" + "x" * 251),
    ],
)
def test_ids_within_their_source(change: dict[str, Any], expected: str) -> None:
    assert event(WITHIN, record(**change)).id == expected


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"id": "x" * 252}, "EVENT_ID_TOO_LONG"),
        ({"id": "  "}, "EVENT_ID_INVALID"),
        ({"id": 1.5}, "EVENT_ID_INVALID"),
        ({"id": "a\0"}, "TEXT_INVALID"),
    ],
)
def test_refused_ids_within_their_source(change: dict[str, Any], code: str) -> None:
    assert code_of(WITHIN, record(**change)) == code


def test_a_record_without_id_gets_the_hash_of_its_content_within_its_source_too() -> None:
    assert event(WITHIN, record(id=None)).id == content_id("shop", record(id=None))


def test_a_record_without_id_gets_the_hash_of_its_content() -> None:
    one = event(LEAST, {"time": 10**12, "email": "ann@example.org", "a": 1})
    two = event(LEAST, {"a": 1, "email": "ann@example.org", "time": 10**12, "id": ""} | {})
    assert re.fullmatch(r"[0-9a-f]{32}", one.id)
    assert one.id == content_id("shop", {"email": "ann@example.org", "a": 1, "time": 10**12})
    assert len({one.id, two.id, content_id("crm", {"email": "ann@example.org", "a": 1, "time": 10**12})}) == 3


def test_times() -> None:
    first = LEAST.replace('time = "time"', 'time = ["at", "time"]\ntime_unit = "s"')
    assert event(first, record(at="")).time == parse_time("2026-01-02T03:04:05Z")
    assert event(first, record(at=1_700_000_000)).time == 1_700_000_000_000_000
    assert event(first, record(at=None, time=None), fallback_time=5).time == 5
    constant = LEAST.replace('time = "time"', "time = { value = 2026-01-01T00:00:00Z }")
    assert event(constant, record(), fallback_time=5).time == parse_time("2026-01-01")
    assert event(LEAST, record(time=format_time(NOW + DAY))).time == NOW + DAY


MOMENT = 1_748_736_000  # 2025-06-01 in seconds


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
@pytest.mark.parametrize("sent", ["s", "ms", "us", "ns"])
@pytest.mark.parametrize("kind", [int, float, str, lambda number: f" {number} "])
@pytest.mark.parametrize("many", [1, 20])
def test_numbers_of_another_unit_are_no_times(unit: str, sent: str, kind: Any, many: int) -> None:
    """One by one and by columns: what is read as 1970 or before was meant otherwise."""
    powers = {"s": 0, "ms": 3, "us": 6, "ns": 9}
    loader = parse_loader(LEAST.replace('time = "time"', f'time = "time"\ntime_unit = "{unit}"'))
    records = [record(id=f"e{n}", time=kind(MOMENT * 10 ** powers[sent])) for n in range(many)]
    events, _, refused = loader.events(records, received=NOW)
    if sent == unit == "ns" and kind is float:  # which a double does not hold
        assert {error.code for _, error in refused} == {"TS_RANGE"}
    elif sent == unit:
        assert list(events.times) == [MOMENT * 1_000_000] * many
    else:
        code = "TS_PAST" if powers[sent] < powers[unit] else "TS_RANGE" if powers[sent] - powers[unit] > 2 else ""
        assert {error.code for _, error in refused} == {code} and len(refused) == many
        assert code != "TS_PAST" or "time_unit" in refused[0][1].message


@pytest.mark.parametrize("time", [0, -1, -(10**12), 0.0, "0", "-1", 31_535_999_999, "20251301"])
def test_numbers_that_stand_for_no_time(time: Any) -> None:
    for many in (1, 20):
        events, _, refused = parse_loader(LEAST).events([record(time=time)] * many, received=NOW)
        assert (len(events), {error.code for _, error in refused}) == (0, {"TS_PAST"})


@pytest.mark.parametrize("time", [31_536_000_000, "31536000000", "1970-01-01", "19700101", "1901-02-03T04:05:06Z"])
def test_times_that_are_old(time: Any) -> None:
    for many in (1, 20):
        records = [record(id=f"e{n}", time=time) for n in range(many)]
        events, _, refused = parse_loader(LEAST).events(records, received=NOW)
        assert (list(events.times), refused) == ([parse_time(time)] * many, [])


@given(
    st.datetimes(timezones=st.none() | st.timezones() | st.just(UTC)).map(lambda moment: moment.isoformat())
    | st.sampled_from(["2026-01-02", "20260102", "2026-W01-1", "1767323045", "0001-01-01T00:00:00+05:00", "2026-1-1"])
    | st.text("0123456789-:TZ+. ", max_size=25)
)
def test_times_are_those_of_parse_time(text: str) -> None:
    loader = parse_loader(LEAST)
    try:
        time = parse_time(text, numbers_since=NUMBERS_SINCE)
        expected: int | str = time if time >= DAWN else "TS_PAST"
    except InputError as error:
        expected = error.code
    try:
        found: int | str = loader.event(record(time=text or "x"), received=2**62).time
    except InputError as error:
        found = error.code
    assert found == expected


def test_identifiers_are_canonical_and_not_repeated() -> None:
    text = LEAST + 'phone = "phones[].n"\nuser_id = ["u", "v"]\n"*" = "ids"\n'
    value = record(
        phones=[{"n": "+1 202 555 0143"}, {"n": None}, {"x": 1}, 7, {"n": "+12025550143"}],
        u=17,
        v=17.0,
        ids={"email": ["ANN@example.org", ""], "Cookie": "c", "empty": None},
    )
    found = [identifier.key for identifier in event(text, value).identifiers]
    assert found == ["email:ann@example.org", "phone:+12025550143", "user_id:17", "cookie:c"]
    assert code_of(text, record(ids={"no good": "x"})) == "NAMESPACE_INVALID"
    assert [i.key for i in event(text, record(ids=7, phones={"n": 1})).identifiers] == ["email:ann@example.org"]


def test_text_and_numbers_are_not_mistaken_for_each_other() -> None:
    """1, 1.0 and True are one key of a dict: only text may be remembered."""
    loader = parse_loader(LEAST.replace("email =", "user_id ="))
    assert loader.event(record(email=1), received=NOW).identifiers == [Identifier("user_id", "1")]
    bad: Any
    for bad in (True, 1.5, [], {}):
        with pytest.raises(InputError):
            loader.event(record(email=bad), received=NOW)


def test_what_is_remembered_has_a_bound() -> None:
    values = Normaliser("user_id", None)
    for number in range(KEPT_VALUES + 5):
        assert values.of(f"u{number}") == Identifier("user_id", f"u{number}")
    assert len(values) == 5


def test_fields() -> None:
    text = (
        LEAST
        + """
[traits]
city = ["home.city", "city"]
cards = "cards[].n"
points = { path = "points", type = "number" }
member = { path = ["m", "member"], type = "boolean" }
code = { path = "codes[]", type = "text" }
kind = { value = ["a", 1] }
"*" = ["a", "b"]
"""
    )
    value = record(
        home={"city": ""},
        city="Rome",
        cards=[{"n": 1}, {"n": 2}],
        points="12.50",
        member="yes",
        codes=[7, "x"],
        a={"x": 1, "y": 1, "city": "lost"},
        b={"y": 2, "z": 2},
    )
    expected = {"x": 1, "y": 1, "z": 2, "city": "Rome", "cards": [1, 2], "points": 12.5, "member": True}
    expected |= {"code": ["7", "x"], "kind": ["a", 1]}
    assert event(text, value).traits == expected
    assert event(text, record(a=None, b="")).traits == {"kind": ["a", 1]}
    assert code_of(text, record(b=[1])) == "OBJECT_INVALID"
    for bad in ("twelve", "0x10", "1_000", "nan", {"a": 1}, True):
        assert code_of(text, record(points=bad)) == "NUMBER_INVALID"
    for large in ("1e999", str(2**64), "9" * 300):
        assert code_of(text, record(points=large)) == "NUMBER_RANGE"
    assert code_of(text, record(member="maybe")) == "TRUTH_INVALID"
    assert code_of(text, record(codes=[None, {}])) == "TYPE_INVALID"


def test_an_empty_record_of_fields() -> None:
    found = event(LEAST, record())
    assert (found.traits, found.properties, found.same_person, found.received) == ({}, {}, (), NOW)


def test_properties_are_what_was_not_taken() -> None:
    text = LEAST + 'loyalty_id = "cards[].n"\n[traits]\ncity = "home.city"\n[properties]\nraw = "cards"\n"*" = "."\n'
    value = record(home={"city": "Rome", "zip": "1"}, cards=[{"n": "A1"}, {"n": "B2", "tier": 1}], note="x")
    before = copy.deepcopy(value)
    found = event(text, value).properties
    assert found == {"home": {"zip": "1"}, "cards": [{"tier": 1}], "note": "x", "raw": value["cards"]}
    assert value == before


def test_what_is_said_of_others_joins_nobody() -> None:
    segment = read_loader("segment")
    group = {"type": "group", "userId": "u", "traits": {"email": "office@example.org"}, "timestamp": 10**12}
    found = segment.event(group, received=NOW)
    assert [identifier.key for identifier in found.identifiers] == ["user_id:u"]
    assert (found.traits, found.properties["traits"]) == ({}, {"email": "office@example.org"})
    found = segment.event(group | {"type": "identify"}, received=NOW)
    assert [identifier.key for identifier in found.identifiers] == ["user_id:u", "email:office@example.org"]
    assert found.traits == {"email": "office@example.org"}


def test_a_match_is_exact() -> None:
    rule = '[[same_person]]\nwhen = { merge = 1 }\na = { namespace = "x", value = "a" }\n'
    rule += 'b = { namespace = "y", value = "b" }\n'
    value = record(a="1", b="2")
    pair = (Identifier("x", "1"), Identifier("y", "2"))
    assert event(LEAST + rule, value | {"merge": 1}).same_person == [pair]
    for other in (True, 1.0, "1", None):
        assert event(LEAST + rule, value | {"merge": other}).same_person == ()
    assert event(LEAST + rule, value | {"merge": 1, "b": ""}).same_person == ()
    always = event(LEAST + rule.replace("when = { merge = 1 }\n", ""), value)
    assert always.same_person == [pair]
    assert always.identifiers == [Identifier("email", "ann@example.org"), *pair]


def test_pairs_without_a_list() -> None:
    text = LEAST + '[[identifier_pairs]]\nnamespace = "type_1"\nvalue = "node_1"\n'
    text += '[[identifier_pairs]]\nnamespace = "b.type"\nvalue = "b.node"\n'
    value = record(type_1="Customer_ID", node_1=123, b={"type": "email", "node": "ANN@example.org"})
    found = [identifier.key for identifier in event(text, value).identifiers]
    assert found == ["email:ann@example.org", "customer_id:123"]
    assert code_of(text, record(node_1="x")) == "NAMESPACE_MISSING"
    assert len(event(text, record(type_1="x", node_1="")).identifiers) == 1


def test_a_source_of_its_own() -> None:
    text = LEAST.replace("[event]", '[event]\nsource = "by"')
    assert (event(text, record()).source, event(text, record(by="app")).source) == ("shop", "app")
    bad: Any
    for bad in (7, "x" * 65):
        assert code_of(text, record(by=bad)) == "EVENT_SOURCE_INVALID"
    assert code_of(text, record(by="a\0")) == "TEXT_INVALID"


# ---- laws ---------------------------------------------------------------------------------------------------------

KEYS = st.sampled_from(["a", "b", "c"])
JSON = st.recursive(
    st.integers(0, 3) | st.none() | st.sampled_from(["", "x"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=12,
)
PATHS = st.lists(st.tuples(KEYS, st.booleans()), min_size=1, max_size=3).map(
    lambda steps: Path.parse(".".join(key + "[]" * fan for key, fan in steps))
)


@given(st.dictionaries(KEYS, JSON, max_size=3), st.lists(PATHS, max_size=3))
def test_the_remainder_and_the_taken_make_the_record(value: dict[str, Any], paths: list[Path]) -> None:
    """Nothing that was taken is left, nothing else is gone, and the record is as it was."""
    before = copy.deepcopy(value)
    left = remainder(paths, [], Path.parse("."))(value)
    assert value == before
    assert left is not None
    assert [found for path in paths for found in path.every()(left)] == []
    kept = [leaf for leaf in located(value) if not any(covers(path, leaf[0]) for path in paths)]
    assert sorted(map(repr, (leaf[1] for leaf in located(left)))) == sorted(map(repr, (leaf[1] for leaf in kept)))


def located(value: Any, at: tuple[tuple[str, bool], ...] = ()) -> list[tuple[tuple[tuple[str, bool], ...], Any]]:
    """Every number and text with the steps to it; a list below a list has no path of its own."""
    if isinstance(value, dict):
        return [leaf for key, inner in value.items() for leaf in located(inner, (*at, (key, False)))]
    if isinstance(value, list):
        step = (*at[:-1], (at[-1][0], True)) if at and not at[-1][1] else (*at, ("", True))
        return [leaf for inner in value for leaf in located(inner, step)]
    return [] if value is None else [(at, value)]


def covers(path: Path, at: tuple[tuple[str, bool], ...]) -> bool:
    """Whether what stands at these steps is (part of) a value of the path."""
    for number, (key, fan) in enumerate(path.steps):
        if number >= len(at) or at[number][0] != key:
            return False
        last = number == len(path.steps) - 1
        if at[number][1] != fan and not (last and not fan):
            return False
    return True


@given(st.dictionaries(st.text(max_size=8), JSON, max_size=5))
def test_any_record_gives_an_event_or_a_code(value: dict[str, Any]) -> None:
    for name in ("segment", "events", "crm"):
        try:
            found = read_loader_once(name).event(value, received=NOW, fallback_time=0)
        except IdentityGraphError as error:
            assert isinstance(error, InputError)
        else:
            assert found.identifiers


_LOADERS: dict[str, Loader] = {}


def read_loader_once(name: str) -> Loader:
    if name not in _LOADERS:
        _LOADERS[name] = read_loader(name)
    return _LOADERS[name]


NO_OBJECTS: list[Any] = [["a"], [], "text", 7, False]
ONLY_OBJECTS = LEAST + '[traits]\n"*" = "traits"\n[properties]\n"*" = "properties"\n'


@pytest.mark.parametrize("name", ["traits", "properties"])
@pytest.mark.parametrize("value", NO_OBJECTS)
def test_what_should_be_an_object_and_is_not_is_refused(name: str, value: Any) -> None:
    with pytest.raises(InputError) as refused:
        event(ONLY_OBJECTS, record(**{name: value}))
    assert (refused.value.code, refused.value.message) == ("OBJECT_INVALID", f"{name} is not an object")
    nothings: list[Any] = [None, "", {}]
    for nothing in nothings:
        found = event(ONLY_OBJECTS, record(**{name: nothing}))
        assert found.traits == found.properties == {}


@pytest.mark.parametrize("loader", ["events", "segment"])
@pytest.mark.parametrize("value", NO_OBJECTS)
def test_what_a_wider_object_keeps_is_not_refused(loader: str, value: Any) -> None:
    whole = {"name": "x", "userId": "u", "identifiers": {"user_id": "u"}}
    found = read_loader(loader).event(whole | {"properties": value}, received=NOW, fallback_time=NOW)
    assert found.properties["properties"] == value
    with pytest.raises(InputError, match="traits is not an object"):
        read_loader(loader).event(whole | {"traits": value}, received=NOW, fallback_time=NOW)
