"""Times and durations at the borders: text in, microseconds since 1970 (UTC) inside, text out."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from identity_graph.errors import InputError
from identity_graph.flaws import time_flaw

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
SECOND = 1_000_000
DAY = 86_400 * SECOND
EARLIEST = (datetime(1, 1, 1, tzinfo=UTC) - EPOCH) // MICROSECOND
LATEST = (datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC) - EPOCH) // MICROSECOND

NUMBERS_SINCE = 365 * DAY
"""The year 1971. A number that is a time before it stands for none (0, -1), or is of another unit: the seconds of today
are in January 1970 where they are read as milliseconds. Whoever means such a time writes it as a date."""

UNITS = {"s": 1_000_000, "ms": 1_000, "us": 1, "ns": 0}
_NUMBER = re.compile(r"-?\d{1,19}(\.\d{1,9})?", re.ASCII)
_WORDS = {"s": 1, "second": 1, "m": 60, "min": 60, "minute": 60, "h": 3600, "hour": 3600, "d": 86400}
_WORDS |= {"day": 86400, "w": 604800, "week": 604800}
_WORDS |= {word + "s": size for word, size in _WORDS.items() if len(word) > 1}
_DURATION = re.compile(r"\s*(\d{1,9})\s*([a-z]+)\s*", re.ASCII)
_ISO_DURATION = re.compile(
    r"P(?:(\d{1,6})W)?(?:(\d{1,6})D)?(?:T(?:(\d{1,6})H)?(?:(\d{1,6})M)?(?:(\d{1,9})S)?)?", re.ASCII
)


def now() -> int:
    """Microseconds since 1970, UTC."""
    return time.time_ns() // 1000


def parse_time(value: Any, unit: str = "ms", *, numbers_since: int = EARLIEST) -> int:
    """Microseconds of an ISO 8601 text (no zone means UTC) or of a number in `unit` (s, ms, us, ns).

    A text of digits is a number too, but eight of them are a date if they can be. Raises TS_INVALID, TS_IMPOSSIBLE,
    TS_LOCAL and TS_RANGE; and TS_PAST of a number that is before `numbers_since`.

    >>> parse_time("2026-01-02T03:04:05Z") == parse_time(1767323045000)
    True
    """
    if isinstance(value, str):
        text = value.strip()
        # Python reads 13 digits as a date, any one character and a time: 1712123041200 would be in 1712.
        if text[4:5] != "-" and len(text) != 8 and _NUMBER.fullmatch(text):
            return parse_time(float(text) if "." in text else int(text), unit, numbers_since=numbers_since)
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            if _NUMBER.fullmatch(text):
                return parse_time(float(text) if "." in text else int(text), unit, numbers_since=numbers_since)
            raise InputError(time_flaw(text), f"{text[:40]!r} is not a time") from None
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        result = (moment - EPOCH) // MICROSECOND
    elif isinstance(value, datetime):
        moment = value if value.tzinfo else value.replace(tzinfo=UTC)
        result = (moment - EPOCH) // MICROSECOND
    elif isinstance(value, int) and not isinstance(value, bool):
        result = value // 1000 if unit == "ns" else value * UNITS[unit]
    elif isinstance(value, float):
        if not abs(value) < 1e18:
            raise InputError("TS_RANGE", f"{value!r} is not a time")
        result = int(value / 1000) if unit == "ns" else round(value * UNITS[unit])
    else:
        raise InputError("TS_INVALID", f"{str(value)[:40]!r} is not a time")
    if not EARLIEST <= result <= LATEST:
        raise InputError("TS_RANGE", f"{str(value)[:40]!r} is outside the years 1 to 9999")
    if result < numbers_since and isinstance(value, int | float):
        raise InputError("TS_PAST", f"{value} is {format_time(result)} if its time_unit is {unit}")
    return result


def to_datetime(time: int) -> datetime:
    return EPOCH + timedelta(microseconds=time)


def format_time(time: int) -> str:
    """ISO 8601, UTC.

    >>> format_time(0)
    '1970-01-01T00:00:00Z'
    """
    days, rest = divmod(time, DAY)
    second, micro = divmod(rest, SECOND)
    minute, second = divmod(second, 60)
    hour, minute = divmod(minute, 60)
    fraction = f".{micro:06d}" if micro else ""
    return f"{_date(days)}T{hour:02d}:{minute:02d}:{second:02d}{fraction}Z"


@lru_cache(maxsize=4_096)
def _date(days: int) -> str:
    return (EPOCH + timedelta(days=days)).date().isoformat()


def parse_duration(text: str) -> int:
    """Microseconds of `30m`, `90 days` or ISO 8601 (`PT30M`, `P90D`). Raises ValueError.

    >>> parse_duration("30m") == parse_duration("PT30M") == 30 * 60 * SECOND
    True
    """
    words = _DURATION.fullmatch(text)
    if words:
        size = _WORDS.get(words[2])
        if size:
            return int(words[1]) * size * SECOND
    iso = _ISO_DURATION.fullmatch(text.strip())
    if iso and any(iso.groups()):
        weeks, days, hours, minutes, seconds = (int(part or 0) for part in iso.groups())
        return ((weeks * 7 + days) * 86400 + hours * 3600 + minutes * 60 + seconds) * SECOND
    raise ValueError(f"{text!r} is not a duration such as 30m, 90 days or PT30M")


def format_duration(duration: int) -> str:
    """The shortest of the words that `parse_duration` reads.

    >>> format_duration(parse_duration("90 days")), format_duration(parse_duration("PT30M"))
    ('90 days', '30m')
    """
    seconds = duration // SECOND
    for size, word in ((86400, " days"), (3600, "h"), (60, "m")):
        if seconds and seconds % size == 0:
            return f"{seconds // size}{word}"
    return f"{seconds}s"
