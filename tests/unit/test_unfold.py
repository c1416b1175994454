"""Records made plain before paths are read, tables without a header, and times in a form of their own."""

from __future__ import annotations

from typing import Any

import pytest

from identity_graph.errors import InputError
from identity_graph.loaders import parse_loader
from identity_graph.loaders.unfold import unfolder
from identity_graph.model import Refused
from identity_graph.records import Form, read_again
from identity_graph.records.delimited import Rows
from tests.unit.test_loaders import LEAST, code_of, event, record

JSON = 'json = ["extra", "in.side"]\n' + LEAST
LISTS = LEAST + '[[keyed_lists]]\nlist = "in.params"\nkey = "key"\nvalue = ["value.text", "value.number"]\n'


def unfolded(text: str, value: dict[str, Any]) -> Any:
    unfold = unfolder(parse_loader(text).file)
    assert unfold is not None
    return unfold(value)


def test_json_in_a_text() -> None:
    value = {"extra": '{"a":[1]}', "in": {"side": "[true]", "b": 1}}
    assert unfolded(JSON, value) == {"extra": {"a": [1]}, "in": {"side": [True], "b": 1}}
    assert value["extra"] == '{"a":[1]}'
    for other in ({}, {"extra": None, "in": 7}, {"extra": {"a": 1}}, {"extra": " "}):
        assert unfolded(JSON, other) == other


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("{", "JSON_INSIDE"),
        ('1},{"a":1', "JSON_INSIDE"),
        ("9" * 30, "NUMBER_RANGE"),
        ("[" * 70 + "]" * 70, "RECORD_TOO_DEEP"),
    ],
)
def test_json_that_is_not(text: str, code: str) -> None:
    assert code_of(JSON, record(extra=text)) == code


def test_keyed_lists() -> None:
    a, b = {"key": "a", "value": {"text": "x"}}, {"key": "b", "value": {"number": 2}}
    assert unfolded(LISTS, {"in": {"params": [a, b], "c": 3}}) == {"in": {"params": {"a": "x", "b": 2}, "c": 3}}
    assert unfolded(LISTS, {"in": {"params": [a, b, a]}}) == {"in": {"params": {"a": ["x", "x"], "b": 2}}}
    for other in ([1], [{"key": 1}], "text", [a, "x"]):
        assert unfolded(LISTS, {"in": {"params": other}}) == {"in": {"params": other}}
    assert unfolder(parse_loader(LEAST).file) is None


def test_times_in_a_form_of_their_own() -> None:
    text = LEAST.replace("time =", 'time_format = "%d/%b/%Y:%H:%M:%S %z"\ntime =')
    assert event(text, record(time="02/Jan/2026:04:04:05 +0100")).time == event(LEAST, record()).time
    assert code_of(text, record()) == "TS_FORMAT"
    with pytest.raises(InputError, match="not a time of the form %d"):
        event(text, record(time="soon"))


def test_a_table_without_a_header_or_quotes() -> None:
    form = Form("csv", delimiter="\t", header=("a", "b"), quotes=False)
    content = b'1\t{"x":"y"}\n2\t"\n\n3\t4\t5\n6\n'
    found = list(Rows([content], form))
    records = [{"a": "1", "b": '{"x":"y"}'}, {"a": "2", "b": '"'}, "RAGGED_ROW", {"a": "6"}]
    assert [r.code if isinstance(r, Refused) else r for _, r in found] == records
    assert [origin.raw for origin, _ in found] == [b'1\t{"x":"y"}', b'2\t"', b"3\t4\t5", b"6"]
    assert read_again(found[0][0].raw, form) == records[0]
    for number, (origin, _) in enumerate(found):
        assert list(Rows([content], form, origin.offset)) == found[number:]


def test_what_keeps_spreadsheets_from_computing_is_no_part_of_a_value() -> None:
    form = Form("csv", text_mark="'")
    ((_, found),) = Rows([b"id,phone,name,zip\n'12,'+1617,'t Hart,0'2\n"], form)
    assert found == {"id": "12", "phone": "+1617", "name": "'t Hart", "zip": "0'2"}
