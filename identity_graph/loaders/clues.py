"""What a column's name and values say of it, for a loader that is guessed. None of it is certain."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime
from functools import partial
from typing import NamedTuple

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_EMAIL = re.compile(r"[^\s@]+@[^\s@]+\.[^\s@.]+")
_PHONE = re.compile(r"\+?[0-9(][0-9 ().-]{5,18}[0-9]")
_UUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.IGNORECASE)
_ISO = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d.*")
_NUMBER = re.compile(r"[12]\d{9}(?:\d{3}|\d{6}|\d{9})?(?:\.\d+)?")
UNITS = {10: "s", 13: "ms", 16: "us", 19: "ns"}
TIME_FORMATS = ("%Y-%m-%d %H:%M:%S %z", "%d/%b/%Y:%H:%M:%S %z", "%m/%d/%Y %H:%M", "%d.%m.%Y %H:%M", "%Y/%m/%d %H:%M:%S")
MOST = 0.7
"""Of the values that must look alike; the others may be slips, or words for nothing."""

FEW = 100  # values that tell how times are written

_PERSONS = {"user", "customer", "contact", "client", "member", "account"}
_NAMES: Sequence[tuple[str, Callable[[set[str]], bool]]] = (
    ("advertising_id", lambda words: bool(words & {"idfa", "gaid", "aaid"}) or {"advertising", "id"} <= words),
    ("anonymous_id", lambda words: bool(words & {"anonymous", "anon", "visitor", "pseudo"}) and "id" in words),
    ("cookie", lambda words: "cookie" in words),
    ("device_id", lambda words: "idfv" in words or {"device", "id"} <= words),
    ("loyalty_id", lambda words: "loyalty" in words or ("card" in words and not words & {"credit", "type", "brand"})),
    ("user_id", lambda words: bool(words & {"userid", "uid"}) or ("id" in words and bool(words & _PERSONS))),
)
TRAITS = {
    "firstName": {"firstname", "givenname"},
    "lastName": {"lastname", "familyname", "surname"},
    "name": {"fullname"},
    "birthday": {"birthday", "birthdate", "dateofbirth", "dob"},
    "gender": {"gender", "sex"},
    "city": {"city"},
    "country": {"country", "countrycode"},
    "company": {"company", "organization", "organisation"},
    "plan": {"plan"},
    "tier": {"tier"},
}


class Clue(NamedTuple):
    """What something may be, and why."""

    what: str
    why: str


def words(name: str) -> list[str]:
    """The words of a column's name, in lower case.

    >>> words("context.deviceID"), words("second_email")
    (['context', 'device', 'id'], ['second', 'email'])
    """
    return [word.lower() for word in _WORD.findall(name)]


def namespace(name: str, values: Sequence[str]) -> Clue | None:
    """Of the identifiers in a column of this name (of a path, its last two steps), or None if they are none."""
    said = words(name)
    if most(values, _EMAIL.fullmatch):
        return Clue("email", "its values are e-mail addresses")
    if set(said) & {"email", "mail"} and any(map(_EMAIL.fullmatch, values)):
        return Clue("email", "by its name, though few of its values are e-mail addresses")
    if set(said) & {"phone", "mobile", "telephone", "tel", "msisdn"} and most(values, _PHONE.fullmatch):
        return Clue("phone", "by its name, and its values are numbers that can be dialled")
    if most(values, is_address):
        return Clue("ip", "its values are addresses of the internet")
    if "type" not in said:
        for found, fits in _NAMES:
            if fits(set(said)):
                form = ", and its values are UUIDs" if most(values, _UUID.fullmatch) else ""
                return Clue(found, f"by its name{form}")
    return None


def unique_everywhere(name: str, values: Sequence[str]) -> bool:
    """Whether ids are made so that no other table has them, as libraries that track make theirs; numbers are not."""
    made = words(name)[-2:] in (["message", "id"], ["event", "id"]) and not most(values, str.isdecimal)
    return made or most(values, _UUID.fullmatch)


def time_form(values: Sequence[str]) -> Clue | None:
    """How the times of a column are written: `iso`, a unit of numbers, or a form; None if they are no times."""
    values = values[:FEW]
    for form in TIME_FORMATS:
        if most(values, partial(is_time, form=form)):
            return Clue(form, f"its values are times of the form {form}")
    if most(values, _ISO.fullmatch):
        return Clue("iso", "its values are ISO 8601")
    if most(values, _NUMBER.fullmatch):
        unit = UNITS[len(values[0].partition(".")[0])] if _NUMBER.fullmatch(values[0]) else "ms"
        return Clue(unit, f"its values are numbers as large as times since 1970 in {unit}")
    return None


def trait(name: str) -> str | None:
    """The trait that a column of this name holds, as the Segment spec calls it."""
    joined = "".join(words(name))
    return next((found for found, names in TRAITS.items() if joined in names), None)


def most(values: Sequence[str], fits: Callable[[str], object]) -> bool:
    return bool(values) and sum(1 for value in values if fits(value)) >= MOST * len(values)


def is_address(text: str) -> bool:
    with suppress(ValueError):
        return bool(ipaddress.ip_address(text))
    return False


def is_time(text: str, form: str) -> bool:
    with suppress(ValueError):
        return bool(datetime.strptime(text, form))
    return False
