from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from identity_graph.errors import InputError
from identity_graph.times import (
    DAY,
    EARLIEST,
    LATEST,
    MICROSECOND,
    SECOND,
    format_duration,
    format_time,
    parse_duration,
    parse_time,
    to_datetime,
)

TIMES = st.integers(EARLIEST, LATEST)


@given(TIMES)
def test_a_written_time_reads_as_itself(time: int) -> None:
    assert parse_time(format_time(time)) == time
    assert parse_time(to_datetime(time)) == time


@given(TIMES, st.integers(-14 * 60, 14 * 60))
def test_a_zone_moves_the_clock_not_the_time(time: int, minutes: int) -> None:
    zone = timezone(timedelta(minutes=minutes))
    try:
        text = to_datetime(time).astimezone(zone).isoformat()
    except OverflowError:  # the year would leave 1..9999 in that zone
        return
    assert parse_time(text) == time


@given(TIMES)
def test_a_number_reads_as_its_text(time: int) -> None:
    assert parse_time(time, "us") == time
    assert parse_time(time // SECOND, "s") == time // SECOND * SECOND
    if len(str(time)) != 8:  # which may be a date
        assert parse_time(str(time), "us") == time


@given(st.integers(1_000_000_000_000, 9_999_999_999_999))
def test_thirteen_digits_are_milliseconds(milliseconds: int) -> None:
    assert parse_time(str(milliseconds)) == milliseconds * 1000


@pytest.mark.parametrize(
    ("text", "expected"), [("1712123041200", 1712123041200), ("20240403", 1712102400000), ("99999999", 99999999)]
)
def test_digits_that_look_like_a_date(text: str, expected: int) -> None:
    assert parse_time(text) == expected * 1000


@pytest.mark.parametrize(
    ("value", "unit", "expected"),
    [
        ("1970-01-01", "ms", 0),
        ("1970-01-01T00:00:00", "ms", 0),
        (" 1970-01-01 00:00:01 ", "ms", SECOND),
        ("1970-01-01T02:00:00+02:00", "ms", 0),
        (1_500, "ms", 1_500_000),
        (1.5, "s", 1_500_000),
        ("1.5", "s", 1_500_000),
        (1_999, "ns", 1),
        (-1, "s", -SECOND),
        (datetime(1970, 1, 2, tzinfo=UTC), "ms", DAY),
        (datetime(1970, 1, 2), "ms", DAY),
    ],
)
def test_forms(value: object, unit: str, expected: int) -> None:
    assert parse_time(value, unit) == expected


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_one_moment_in_every_unit(unit: str) -> None:
    moment = 1_767_323_045
    factor = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}[unit]
    assert parse_time(moment * factor, unit) == moment * SECOND
    assert parse_time(str(moment * factor), unit) == moment * SECOND


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ("", "TS_INVALID"),
        ("yesterday", "TS_INVALID"),
        ("2026-02-30", "TS_IMPOSSIBLE"),
        ("2026-01-01T25:00:00Z", "TS_IMPOSSIBLE"),
        ("31/12/2026", "TS_LOCAL"),
        ("1.2.26 10:00", "TS_LOCAL"),
        ("\ud800", "TS_INVALID"),
        ("１９７０-01-01", "TS_INVALID"),
        (None, "TS_INVALID"),
        (True, "TS_INVALID"),
        ([], "TS_INVALID"),
        ({}, "TS_INVALID"),
        ("10000-01-01T00:00:00Z", "TS_RANGE"),
        ("0001-01-01T00:00:00+01:00", "TS_RANGE"),
        (float("nan"), "TS_RANGE"),
        (float("inf"), "TS_RANGE"),
        (1e17, "TS_RANGE"),
        (10**30, "TS_RANGE"),
        (-(10**18), "TS_RANGE"),
    ],
)
def test_what_is_no_time(value: object, code: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_time(value)
    assert caught.value.code == code
    assert len(caught.value.message) < 200


@given(st.one_of(st.text(), st.floats(), st.integers(), st.none(), st.booleans()))
def test_anything_is_a_time_or_an_input_error(value: object) -> None:
    try:
        assert EARLIEST <= parse_time(value) <= LATEST
    except InputError as error:
        assert error.code in {"TS_INVALID", "TS_IMPOSSIBLE", "TS_LOCAL", "TS_RANGE"}


def test_the_ends_of_time() -> None:
    assert format_time(EARLIEST) == "0001-01-01T00:00:00Z"
    assert format_time(LATEST) == "9999-12-31T23:59:59.999999Z"
    assert to_datetime(LATEST) + MICROSECOND * 0 == to_datetime(LATEST)


@given(st.integers(1, 10**8))
def test_a_written_duration_reads_as_itself(seconds: int) -> None:
    assert parse_duration(format_duration(seconds * SECOND)) == seconds * SECOND
    assert parse_duration(f"PT{seconds}S") == seconds * SECOND


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("30m", 1800),
        ("30 minutes", 1800),
        ("1 min", 60),
        ("90 days", 90 * 86400),
        ("1 day", 86400),
        ("2w", 2 * 604800),
        ("1 week", 604800),
        ("45s", 45),
        ("12h", 43200),
        ("PT30M", 1800),
        ("P90D", 90 * 86400),
        ("P1W", 604800),
        ("P1DT2H3M4S", 86400 + 7200 + 180 + 4),
    ],
)
def test_durations(text: str, seconds: int) -> None:
    assert parse_duration(text) == seconds * SECOND


@pytest.mark.parametrize(
    "text", ["", "P", "PT", "30", "m", "-1m", "1.5h", "1 fortnight", "P1Y", "P1M", "30 M", "mins", "1ss", "30ms", "1ds"]
)
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(ValueError, match="is not a duration"):
        parse_duration(text)
