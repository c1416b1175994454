"""What a column's name and values say of it, for a loader that is guessed. None of it is certain."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime
from typing import NamedTuple

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_EMAIL = re.compile(r"[^\s@]+@[^\s@]+\.[^\s@.]+")
_PHONE = re.compile(r"\+?[0-9(][0-9 ().-]{5,18}[0-9]")
_UUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.IGNORECASE)
_ISO = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d.*")
_ISO_DAY = re.compile(r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d.*)?")
_NUMBER = re.compile(r"[12]\d{9}(?:\d{3}|\d{6}|\d{9})?(?:\.\d+)?")
UNITS = {10: "s", 13: "ms", 16: "us", 19: "ns"}
TIME_FORMATS = ("%Y-%m-%d %H:%M:%S %z", "%d/%b/%Y:%H:%M:%S %z", "%m/%d/%Y %H:%M", "%d.%m.%Y %H:%M", "%Y/%m/%d %H:%M:%S")
DAY_FORMS = (
    *("%d.%m.%Y", "%m/%d/%Y", "%d/%m/%Y", "%Y/%m/%d", "%d-%m-%Y", "%d %b %Y", "%d-%b-%Y", "%b %d, %Y"),
    *("%d/%m/%Y %H:%M", "%m/%d/%Y %H:%M:%S", "%d/%m/%Y %H:%M:%S", "%d.%m.%Y %H:%M:%S"),
)
"""What may be a birthday as well, or is read in two ways: of a column that is called as times are."""

EITHER = " or "

MOST = 0.7
"""Of the values that must look alike; the others may be slips, or words for nothing."""

_SEVERAL = 5  # of fewer values, that they differ says nothing
FEW = 100  # values that tell how times are written

EVENT_NAMES = ("event", "event_name", "eventname", "action", "type")
TIME_WORDS = (
    "timestamp",
    "time",
    "ts",
    "at",
    "date",
    "created",
    "updated",
    "occurred",
    "modified",
    "changed",
    "datetime",
)
_NO_TIME = {"birth", "birthday", "birthdate", "expiry", "expires", "expiration", "due", "until", "end", "next", "zone"}
_NUMBERS = {"number", "no", "nr", "num"}
_OF_OTHERS = {"of", "phone", "mobile", "telephone", "tel", "fax", "card", "bank"}
PERSONS = {"user", "customer", "contact", "client", "member", "account"}

_NAMES: Sequence[tuple[str, Callable[[set[str]], bool]]] = (
    ("advertising_id", lambda words: bool(words & {"idfa", "gaid", "aaid"}) or {"advertising", "id"} <= words),
    ("anonymous_id", lambda words: bool(words & {"anonymous", "anon", "visitor", "pseudo"}) and "id" in words),
    ("cookie", lambda words: "cookie" in words),
    ("device_id", lambda words: "idfv" in words or {"device", "id"} <= words),
    ("loyalty_id", lambda words: "loyalty" in words or ("card" in words and not words & {"credit", "type", "brand"})),
    ("user_id", lambda words: bool(words & {"userid", "uid"}) or ("id" in words and bool(words & PERSONS))),
)
TRAITS = {
    "firstName": {"firstname", "givenname"},
    "lastName": {"lastname", "familyname", "surname"},
    "name": {"fullname"},
    "birthday": {"birthday", "birthdate", "dateofbirth", "dob"},
    "gender": {"gender", "sex"},
    "age": {"age"},
    "address": {"address", "street", "streetaddress", "address1", "addressline1"},
    "city": {"city", "town"},
    "postalCode": {"zip", "zipcode", "postcode", "postalcode"},
    "country": {"country", "countrycode"},
    "language": {"language", "locale"},
    "company": {"company", "companyname", "organization", "organisation"},
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
        if set(said) & PERSONS and _is_number(said):
            return Clue("user_id", "by its name")
    return None


def unique_everywhere(name: str, values: Sequence[str]) -> bool:
    """Whether ids are made so that no other table has them, as libraries that track make theirs; numbers are not."""
    made = words(name)[-2:] in (["message", "id"], ["event", "id"]) and not most(values, str.isdecimal)
    return made or most(values, _UUID.fullmatch)


def is_id(name: str) -> bool:
    """Whether a column is called as ids are: id, orderId, Invoice No."""
    said = words(name)
    return said[-1:] == ["id"] or _is_number(said)


def _is_number(said: Sequence[str]) -> bool:
    """As Customer Number is one, and no telephone's."""
    return len(said) > 1 and said[-1] in _NUMBERS and not _OF_OTHERS.intersection(said)


def is_called_time(name: str) -> bool:
    said = set(words(name))
    return bool(said.intersection(TIME_WORDS)) and not said & _NO_TIME


def distinct(values: Sequence[str]) -> bool:
    """Whether nearly each is another one, as names of persons are and names of events are not."""
    return len(set(values)) > 0.5 * len(values)


def time_form(values: Sequence[str], *, days: bool = False) -> Clue | None:
    """How the times of a column are written: `iso`, a unit of numbers, a form, or several of which no value tells the
    right one; None if they are no times. With `days` those without an hour are times, too."""
    values = values[:FEW]
    forms = TIME_FORMATS + DAY_FORMS if days else TIME_FORMATS
    fitting = {form: sum(is_time(value, form) for value in values) for form in forms}
    best = max(fitting.values())
    if best and best >= MOST * len(values):
        found = [form for form, count in fitting.items() if count == best]
        return Clue(EITHER.join(found), f"its values are times of the form {EITHER.join(found)}")
    if most(values, (_ISO_DAY if days else _ISO).fullmatch):
        return Clue("iso", "its values are ISO 8601")
    if most(values, _NUMBER.fullmatch):
        unit = UNITS[len(values[0].partition(".")[0])] if _NUMBER.fullmatch(values[0]) else "ms"
        return Clue(unit, f"its values are numbers as large as times since 1970 in {unit}")
    return None


def trait(name: str, values: Sequence[str] = ()) -> str | None:
    """The trait that a column of this name holds, as the Segment spec calls it. What is only called a name may be that
    of an event: then its values say which."""
    joined = "".join(words(name))
    if joined in ("name", "customername", "contactname"):
        return "name" if joined != "name" or (len(values) >= _SEVERAL and distinct(values)) else None
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
