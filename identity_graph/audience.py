"""Audiences as ad platforms take them: SHA-256 of e-mail addresses and telephone numbers, in lower-case hexadecimal.

What the platforms document:

- Google, Customer Match: "Format your customer data file", support.google.com/google-ads/answer/7659867. CSV in UTF-8;
  the columns `Email` and `Phone`; addresses without blanks around them and in lower case, numbers in E.164 with the
  plus sign, and then hashed.
- Meta, custom audiences from a customer list: "How to format a customer list",
  facebook.com/business/help/2082575038703844, and "Customer File Custom Audiences" in the documentation of the
  Marketing API. The columns `email` and `phone`; addresses trimmed and in lower case; numbers with their country code,
  in digits alone, without leading zeros.

Identifiers are like that already, see `normalise`; those at gmail.com are without the dots and the plus tag, as stored.
An extension is not a part of E.164, so a number with one is left out.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from enum import StrEnum
from itertools import zip_longest

from identity_graph.model import Identifier


class Platform(StrEnum):
    google = "google"
    meta = "meta"


HEADERS = {Platform.google: ("Email", "Phone"), Platform.meta: ("email", "phone")}
_NUMBERS: dict[Platform, Callable[[str], str]] = {
    Platform.google: lambda number: number,
    Platform.meta: lambda number: number.removeprefix("+"),
}


def rows(platform: Platform, identifiers: Iterable[Identifier]) -> Iterator[tuple[str, str]]:
    """Of one person: its addresses and numbers side by side, in as many rows as it needs; an empty text for none.

    >>> ann = [Identifier.parse(key) for key in ("email:test@example.org", "phone:+12125650000", "email:a@b.c")]
    >>> [(email[:8], phone[:8]) for email, phone in rows(Platform.google, ann)]
    [('388c735e', 'd360a79e'), ('d648b243', '')]
    """
    known = list(identifiers)
    addresses = [one.value for one in known if one.namespace == "email"]
    numbers = [_NUMBERS[platform](one.value) for one in known if one.namespace == "phone" and ";" not in one.value]
    for pair in zip_longest(addresses, numbers, fillvalue=""):
        yield hashed(pair[0]), hashed(pair[1])


def hashed(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest() if text else ""


def table(platform: Platform, persons: Iterable[Sequence[Identifier]]) -> tuple[bytes, int]:
    """The file, and how many persons are in it: those of whom there is an address or a number."""
    lines = [",".join(HEADERS[platform])]
    count = 0
    for identifiers in persons:
        found = [",".join(row) for row in rows(platform, identifiers)]
        count += bool(found)
        lines += found
    return "".join(f"{line}\r\n" for line in lines).encode(), count
