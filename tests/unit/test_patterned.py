"""Lines read by a pattern: what is a field, what is refused, and going on where it stopped."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from identity_graph.model import Refused
from identity_graph.records import Form, read_again
from identity_graph.records.lines import KEPT, LONGEST
from identity_graph.records.patterned import Pattern, PatternLines

FORM = Form("lines", pattern='{ip} [{time}] "{agent}"', nothing="-")


def read(content: bytes, form: Form = FORM, start: int = 0) -> list[Any]:
    found = [record for _, record in PatternLines([content], form, start)]
    return [record.code if isinstance(record, Refused) else record for record in found]


def test_lines_are_records_and_all_else_is_refused() -> None:
    good = b'192.0.2.1 [noon] "a \\"b\\" \\\\"'
    content = good + b'\r\n\n1 [-] ""\nno\n1 [x] "y" z\n1 [x] "\xff"\n' + b"x" * (LONGEST + 1)
    first = {"ip": "192.0.2.1", "time": "noon", "agent": 'a \\"b\\" \\\\'}
    codes = ["LINE_INVALID", "LINE_INVALID", "NOT_UTF8", "RECORD_TOO_LARGE"]
    assert read(content) == [first, {"ip": "1"}, *codes]
    origins = [origin for origin, _ in PatternLines([content], FORM)]
    assert [origin.line for origin in origins] == [1, 3, 4, 5, 6, 7]
    assert [content[origin.offset :].startswith(origin.raw) for origin in origins] == [True] * 6
    assert len(origins[-1].raw) == KEPT
    assert [read_again(origin.raw, FORM) for origin in origins][:2] == [first, {"ip": "1"}]
    assert [next(iter(read_again(origin.raw, FORM))) for origin in origins[2:5]] == codes[:3]
    assert read_again(b" ", FORM) == ("LINE_INVALID", "the line is blank")


@pytest.mark.parametrize(
    ("pattern", "what"),
    [("abc", "has no field"), ("{a} {a}", "name of its own"), ("{}", "name of its own"), ("{a}{b}", "between them")],
)
def test_wrong_patterns(pattern: str, what: str) -> None:
    with pytest.raises(ValueError, match=what):
        Pattern(pattern)


@given(st.text(st.sampled_from('ab |"\\'), max_size=12))
def test_a_pattern_is_the_expression_that_it_looks_like(line: str) -> None:
    expected = re.fullmatch(r'a(?P<x>[^|]*)\|(?P<y>(?:(?! ").)*) "(?P<z>(?:[^"\\]|\\.)*)"', line)
    if not line.endswith("\\"):  # a backslash at the end of a field is before its quote, and so within it
        found = Pattern('a{x}|{y} "{z}"').read(line)
        assert found == (expected and {key: value for key, value in expected.groupdict().items() if value})


@given(st.lists(st.sampled_from([b'1 [x] "y"', b"", b"no"]), max_size=6), st.integers(0, 6))
def test_reading_goes_on_where_it_stopped(lines: list[bytes], taken: int) -> None:
    content = b"\n".join(lines)
    whole = list(PatternLines([content], FORM))
    reader = PatternLines([content], FORM)
    begun = [found for _, found in zip(range(taken), reader, strict=False)]
    assert begun + list(PatternLines([content], FORM, reader.offset if begun else 0)) == whole
