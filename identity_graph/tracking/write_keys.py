"""Write keys: who may send events, and the source that these are of."""

from __future__ import annotations

import re
from collections.abc import Mapping

from identity_graph.errors import QueryError, SettingError

SOURCE = "segment"
"""Of a key that names no other."""


class WriteKeys:
    """`sources` by key. Where there is none, any key is taken, unless they are `closed`.

    >>> keys = WriteKeys.parse("abc123, def456=shop")
    >>> keys.source("abc123"), keys.source("def456")
    ('segment', 'shop')
    """

    def __init__(self, sources: Mapping[str, str] | None = None, *, closed: bool = False) -> None:
        self._sources = dict(sources or {})
        self._closed = closed

    @classmethod
    def parse(cls, text: str) -> WriteKeys:
        """Entries of the form KEY or KEY=SOURCE, between commas or blanks. Raises SETTING_INVALID, without a key."""
        sources: dict[str, str] = {}
        for place, entry in enumerate(re.split(r"[,\s]+", text.strip(", \t\r\n")), 1):
            if entry:
                key, equals, source = entry.partition("=")
                if not key or (equals and not source) or len(source) > 64 or key in sources:
                    raise SettingError(
                        "SETTING_INVALID",
                        f"entry {place} of the write keys is not KEY or KEY=SOURCE, or its key is there twice",
                        help="Write KEY or KEY=SOURCE, with commas between, in IDENTITY_GRAPH_WRITE_KEYS.",
                    )
                sources[key] = source or SOURCE
        return cls(sources)

    def closed(self) -> WriteKeys:
        """The same keys, and no other."""
        return WriteKeys(self._sources, closed=True)

    def source(self, key: str | None) -> str:
        """Raises WRITE_KEY_INVALID."""
        if not key:
            raise QueryError("WRITE_KEY_INVALID", "the request has no write key")
        if not self._sources and not self._closed:
            return SOURCE
        found = self._sources.get(key)
        if found is None:
            raise QueryError("WRITE_KEY_INVALID", "the write key is not one that is taken here")
        return found
