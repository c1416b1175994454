"""In which country numbers without one were written, as far as numbers tell."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from functools import partial

from identity_graph.loaders.clues import MOST, Clue, most

_GROUPED = re.compile(r"(?:1[ .-]?)?(?:\([2-9]\d\d\) ?|[2-9]\d\d[ .-])\d{3}[ .-]\d{4}")
"""As in North America; which of its countries it is changes no number."""


def region(numbers: Sequence[str]) -> Clue | None:
    """Two letters; None where numbers do not tell, or not the same."""
    import phonenumbers

    bare = [number for number in numbers if not number.startswith("+")]
    countries: Counter[str] = Counter()
    for number in set(numbers) - set(bare):
        with suppress(phonenumbers.NumberParseException):
            countries[phonenumbers.region_code_for_number(phonenumbers.parse(number)) or ""] += 1
    if most(bare, _GROUPED.fullmatch):
        there = [one for one, _ in countries.most_common() if phonenumbers.country_code_for_region(one) == 1]
        if countries and not there:
            return None
        return Clue(there[0] if there else "US", "as numbers without a country are grouped")
    for country, count in countries.most_common(1):
        if count > 1 and count >= MOST * countries.total() and most(bare, partial(_is_valid, region=country)):
            return Clue(country, "as the other numbers say of themselves")
    return None


def _is_valid(number: str, region: str) -> bool:
    import phonenumbers

    with suppress(phonenumbers.NumberParseException):
        return bool(phonenumbers.is_valid_number(phonenumbers.parse(number, region)))
    return False
