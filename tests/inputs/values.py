"""Texts that break programs, made from a seed: of every class in which a value of an identifier goes wrong."""

from __future__ import annotations

import random
import sys
import unicodedata
from collections.abc import Iterator
from itertools import chain

from identity_graph.normalise import NOBODY

MARKS = "\u00ad\u034f\u061c\u115f\u180e\u200b\u200c\u200d\u200e\u200f\u202a\u202d\u202e\u2060\u2066\u2069\ufe0f\ufeff"
SPACES = "\t\n\v\f\r \x85\xa0\u1680\u2000\u2009\u2028\u2029\u202f\u205f\u3000"
ALIKE = {
    "a": "\u0430\uff41\U0001d41a\u00aa\u0251",
    "e": "\u0435\uff45\u212e\U0001d41e",
    "i": "\u0456\u0131\u0130\uff49\u2170",
    "k": "\u212a\u043a\uff4b",
    "o": "\u043e\u03bf\uff4f\u00ba0",
    "s": "\u017f\u00df\u1e9e\uff53\u0455",
    "f": "\ufb00\ufb01\u0192",
    "1": "\u00b9\u2460\uff11\u0661l",
    "-": "\u2010\u2011\u2012\u2212\u00ad\ufe63",
    "@": "\uff20\ufe6b",
    ".": "\u3002\uff0e\u2024",
}
INJECTIONS = (
    "' OR '1'='1", "'; DROP TABLE event; --", '" OR ""="', "a'||'b", "%", "_", "a%_b", "*", "a*b?[c]", "\\", "a\\",
    "' WITH true as x MATCH (s) DETACH DELETE s //", "`}) MATCH (n) DETACH DELETE n //", "$props", "{{7*7}}", "${7*7}",
    "<script>alert(1)</script>", "&lt;", "%00", "%0d%0aSet-Cookie: a=b", "../../etc/passwd", "/dev/null", "C:\\con",
    "file:///etc/passwd", "\\\\host\\share", "=1+1", '=HYPERLINK("http://a.example")', "+1", "-1+1", "@SUM(A1)", "\t=1",
    '"}){id}}#', '""" "', "#comment", "a:b", ":", "user_id:a", "email:ann@example.org", "*)(uid=*))(|(uid=*", "$.a[0]",
    "(a+)+$", "^(.*)*$", "\x1b[31mred\x1b[0m", "\x1b]0;title\x07", 'a\r\n{"level":"info","forged":true}',
    "a\nb", "a\rb",
    "__proto__", "constructor", "toString", "id", "__typename", "null;", "undefined,", "a,b", '"a","b"', '"', '""',
    "a;b",
    "a\tb", "a|b", "'", "`", "$(id)", "`id`", ";id", "&&id", "{", "}", "[", "]", "{}", "[]", '{"a":1}', '["a"]',
    "\ufffd",
    "\ufffe", "\uffff", "\U0010ffff", "\U000e0041\U000e0042", "\U0001f468\u200d\U0001f469\u200d\U0001f467",
    "\U0001f1e9\U0001f1ea", "z" + "\u0335" * 60, "\u0627\u0644\u0639\u0631", "\u202eevil", "\u0e01\u0e33", "\uac00",
    "\u1100\u1161", "\u2126", "\u03a9", "\u212b", "\u00c5", "A\u030a", "\u1e69", "s\u0323\u0307", "s\u0307\u0323",
)  # fmt: skip
NUMBERS = (
    "0", "-0", "00", "007", "7", "7.0", "+7", "1e5", "1E5", "100000", "0x10", "0b1", "0o7", "1_000", "1,000", "1.0",
    ".5", "5.", "NaN", "nan", "Infinity", "-Infinity", "inf", "1e999", "-1e999", "2147483648", "9007199254740993",
    "9223372036854775808", "18446744073709551616", "170141183460469231731687303715884", "\u0661\u0662\u0663",
    "\uff11\uff12", "\u00bd", "\u2167", "True", "false", "yes", "N/A", "-", "--", "---", "#REF!", "1970-01-01", "12:30",
)  # fmt: skip
LENGTHS = (255, 256, 511, 512, 513, 1_000, 8_192, 131_073)
LOCALES = (
    "iI\u0130\u0131",
    "sS\u017f\u00df\u1e9e",
    "kK\u212a",
    "\u03c3\u03c2\u03a3",
    "\u01c4\u01c5\u01c6",
    "\u00e5\u00c5\u212b",
)


def values(count: int, seed: int) -> list[str]:
    """So many, none twice: the written ones first, then as many as there is room for of those that are made."""
    dice = random.Random(seed)
    made = chain(_written(), _of_every_category(dice), _mixed(dice))
    found: dict[str, None] = {}
    for text in made:
        found.setdefault(text)
        if len(found) == count:
            break
    return list(found)


def _written() -> Iterator[str]:
    yield from INJECTIONS
    yield from NUMBERS
    for word in sorted(NOBODY)[::4]:
        yield from (word, word.upper(), f" {word} ", f"{word}x")
    for mark in MARKS + SPACES:
        yield from (f"ann{mark}", f"{mark}ann", f"an{mark}n", mark)
    for plain, others in ALIKE.items():
        yield from (f"p{other}t{plain}" for other in plain + others)
    for group in LOCALES:
        yield from (f"{letter}van{letter}" for letter in group)
    for code in (*range(32), *range(127, 160), 0xD800, 0xDBFF, 0xDC00, 0xDFFF):
        yield from (f"a{chr(code)}b", f"ab{chr(code)}", f"{chr(code)}ab")
    for length in LENGTHS:
        yield from ("x" * length, "\u00e9" * length, "e\u0301" * (length // 2), " " * length + "x")


def _of_every_category(dice: random.Random) -> Iterator[str]:
    """Letters, marks, signs and unassigned code points of each general category, in each of their normal forms."""
    kinds: dict[str, list[str]] = {}
    for code in range(160, sys.maxunicode + 1):
        kinds.setdefault(unicodedata.category(chr(code)), []).append(chr(code))
    for kind in sorted(kinds.keys() - {"Cs"}):
        for letter in dice.sample(kinds[kind], min(12, len(kinds[kind]))):
            yield from (f"{letter}q", f"q{letter}q")
    composed = [chr(code) for code in range(160, 0x30000) if unicodedata.decomposition(chr(code))]
    for letter in dice.sample(composed, 180):
        yield from (f"u{unicodedata.normalize(form, letter)}" for form in ("NFC", "NFD", "NFKC", "NFKD"))


def _mixed(dice: random.Random) -> Iterator[str]:
    """A few pieces of the above, one after the other."""
    pieces = [*INJECTIONS, *NUMBERS, *MARKS, *SPACES, *"".join(ALIKE.values()), *"abkiAKI @+.-_\"'\\,;:"]
    while True:
        yield "".join(dice.choices(pieces, k=dice.randint(2, 6)))
