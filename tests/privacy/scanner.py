"""Finds many values in many files at once, in every encoding in which a file may hold them."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import quote

import numpy as np
import numpy.typing as npt

WINDOW = 8
"""Bytes by which a pattern is first looked for: no shorter value can be."""
_BITS = 22
_MIX = np.uint64(0x9E3779B97F4A7C15)

Find = tuple[str, str, str]
"""File, value, encoding."""


def encodings(value: str) -> dict[str, bytes]:
    """The value as a file may hold it. Of base64 the characters that do not depend on what is around it."""
    raw = value.encode()
    found = {
        "utf-8": raw,
        "upper case": value.upper().encode(),
        "utf-16-le": value.encode("utf-16-le"),
        "utf-16-be": value.encode("utf-16-be"),
        "hex": raw.hex().encode(),
        "HEX": raw.hex().upper().encode(),
        "backwards": raw[::-1],
        "URL": quote(value, safe="").encode(),
    }
    for hash in ("md5", "sha1", "sha256"):
        digest = hashlib.new(hash, raw)
        found |= {hash: digest.digest(), f"{hash} in hex": digest.hexdigest().encode()}
        found[f"{hash} in base64"] = b64encode(digest.digest()).rstrip(b"=")[:-1]
    for shift in range(3):
        coded = b64encode(bytes(shift) + raw)
        found[f"base64+{shift}"] = coded[(8 * shift + 5) // 6 : 8 * (shift + len(raw)) // 6]
    return found


class Scanner:
    """Reads each file eight times as numbers of 64 bits, one byte further each time, and looks closer where one of them
    begins a pattern. Values have at least eight characters."""

    def __init__(self, values: Iterable[str]) -> None:
        self._patterns: dict[int, list[tuple[bytes, str, str]]] = defaultdict(list)
        for value in values:
            for encoding, pattern in encodings(value).items():
                assert len(pattern) >= WINDOW, value
                self._patterns[int.from_bytes(pattern[:WINDOW], "little")].append((pattern, value, encoding))
        self._begin = np.array(sorted(self._patterns), dtype=np.uint64)
        self._may = np.zeros(1 << _BITS, dtype=bool)
        self._may[_mixed(self._begin)] = True

    def scan(self, folders: Iterable[Path]) -> set[Find]:
        found: set[Find] = set()
        for folder in folders:
            for path in sorted(folder.rglob("*")):
                if path.is_file():
                    found |= {(path.name, *what) for what in self.within(path.read_bytes())}
        return found

    def within(self, content: bytes) -> set[tuple[str, str]]:
        found: set[tuple[str, str]] = set()
        for shift in range(WINDOW):
            words = np.frombuffer(
                content, dtype="<u8", offset=min(shift, len(content)), count=max(0, len(content) - shift) // WINDOW
            )
            likely = np.flatnonzero(self._may[_mixed(words)])
            likely = likely[np.isin(words[likely], self._begin)]
            for place, word in zip(likely.tolist(), words[likely].tolist(), strict=True):
                at = shift + WINDOW * place
                for pattern, value, encoding in self._patterns[word]:
                    if content.startswith(pattern, at):
                        found.add((value, encoding))
        return found


def _mixed(words: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    return (words.astype(np.uint64) * _MIX) >> np.uint64(64 - _BITS)
