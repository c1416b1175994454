"""The normal forms as `normalise` describes them, told once more in the shortest way: what a value may become, and
nothing else."""

from __future__ import annotations

import re
import unicodedata

from identity_graph.normalise import NOBODY

MARKS = "\u200b\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2066\u2067\u2068\u2069\ufeff"
DASHES = "-\u2010\u2011\u2012\u2013\u2014\u2015\u2212"


def plain(raw: str) -> str | None:
    """Of any namespace: white space and invisible marks around it removed, NFC; None of what is refused. Empty: there
    is no value."""
    start, end = 0, len(raw)
    while start < end and _is_edge(raw[start]):
        start += 1
    while end > start and _is_edge(raw[end - 1]):
        end -= 1
    text = unicodedata.normalize("NFC", raw[start:end])
    broken = any(unicodedata.category(letter) in ("Cc", "Cs") for letter in text)
    return None if broken or max(len(text), end - start) > 512 else text


def loyalty_id(raw: str) -> str | None:
    """Upper case, A-Z only, without spaces and hyphens."""
    text = plain(raw)
    if not text or "\u212a" in raw:
        return text and None
    lowered = _lower(text)
    if is_nobody(lowered):
        return lowered
    kept = "".join(letter for letter in text if not (_is_space(letter) or letter in DASHES))
    kept = unicodedata.normalize("NFC", kept)
    return unicodedata.normalize("NFC", re.sub("[a-z]", lambda found: found[0].upper(), kept)) or "-"


def is_nobody(text: str) -> bool:
    return _lower(text) in NOBODY or re.fullmatch(r"[0-]+|[x*._?-]+|9{6,}", _lower(text)) is not None


def _lower(text: str) -> str:
    return re.sub("[A-Z]", lambda found: found[0].lower(), text)


def _is_space(letter: str) -> bool:
    return letter in "\t\n\v\f\r\x85" or unicodedata.category(letter) in ("Zs", "Zl", "Zp")


def _is_edge(letter: str) -> bool:
    return _is_space(letter) or letter in MARKS
