"""What others named, as a message or a terminal can hold it."""

from __future__ import annotations

import re

_ODD = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069"  # controls, line ends, directions
    "\ud800-\udfff]"  # halves of pairs, and the bytes of a file's name that are not UTF-8
)


def legible(text: str) -> str:
    """On one line, and with escapes for what a terminal would obey, would show in another order, or cannot be written.

    >>> print(legible("a\\x1b[2J\\r\\nb"))
    a\\x1b[2J\\r\\nb
    """
    return _ODD.sub(lambda odd: ascii(odd[0])[1:-1], text)
