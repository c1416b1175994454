"""Times and ids of many records at once: what is said of each of them alone."""

from __future__ import annotations

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from identity_graph.event_table import json_texts
from identity_graph.loaders.file import parse_file
from identity_graph.loaders.judgement import content_id, content_ids, iso_times, time_reader
from identity_graph.records.json_record import read_json
from identity_graph.times import parse_time

TIME_OF = time_reader(parse_file('source = "web"\n[event]\ntime = "at"\nname = "name"\n[identifiers]\ncookie = "c"'))


def texts(digits: int) -> st.SearchStrategy[list[str]]:
    def text(time: datetime) -> str:
        whole = time.strftime("%Y-%m-%dT%H:%M:%S").rjust(19, "0")
        return f"{whole}.{time.microsecond:06}"[: 20 + digits].removesuffix(".") + "Z"

    return st.lists(st.datetimes().map(text), min_size=1, max_size=5)


@given(st.sampled_from((0, 3, 6)).flatmap(texts))
def test_times_that_are_written_alike(given: list[str]) -> None:
    assert iso_times(given) == list(map(TIME_OF, given))


@given(texts(3), st.data())
def test_one_time_that_is_none(given: list[str], data: st.DataObject) -> None:
    """Any of its characters may be another one: then it is read as it is alone, or not at all."""
    place = data.draw(st.integers(0, len(given) - 1))
    at = data.draw(st.integers(0, len(given[place]) - 1))
    other = data.draw(st.sampled_from("0123456789-:TZ. +/;@é"))
    given[place] = given[place][:at] + other + given[place][at + 1 :]
    found = iso_times(given)
    assert found is None or found == list(map(TIME_OF, given))


@pytest.mark.parametrize(
    "text",
    [
        *("2025-02-29T00:00:00Z", "2025-13-01T00:00:00Z", "2025-00-01T00:00:00Z", "2025-01-00T00:00:00Z"),
        *("2025-01-01T24:00:00Z", "2025-01-01T00:60:00Z", "2025-01-01T00:00:60Z", "0000-01-01T00:00:00Z"),
        *("2025-01-01T00:00:00z", "2025-01-01 00:00:00Z", "2025-01-01T00:00:00.5Z", ""),
    ],
)
def test_what_is_not_read_with_the_others(text: str) -> None:
    assert iso_times([text]) is None
    assert iso_times(["2025-01-01T00:00:00Z", text]) is None


def test_a_leap_day() -> None:
    leap = ["2024-02-29T23:59:59.999Z", "2000-02-29T00:00:00.000Z"]
    assert iso_times(leap) == list(map(parse_time, leap))


@given(st.lists(st.dictionaries(st.sampled_from("abc"), st.text(max_size=3) | st.integers(0, 9)), max_size=4))
def test_ids_of_contents(records: list[dict[str, object]]) -> None:
    read = [read_json(text.encode()) for text in json_texts(records)]
    kept = [record for record in read if isinstance(record, dict)]
    assert content_ids(["web"] * len(kept), json_texts(kept)) == [content_id("web", record) for record in kept]
