"""Hashes of what was erased, as rows."""

from __future__ import annotations

from collections.abc import Sequence

import apsw

from identity_graph.store.sqlite.connection import Connection


class BuriedRows:
    def __init__(self, database: Connection) -> None:
        self._database = database

    def any(self) -> bool:
        return bool(self._database.one("SELECT EXISTS (SELECT 1 FROM tombstone)"))

    def found(self, hashes: Sequence[bytes]) -> list[bool]:
        rows = self._database.rows(
            "SELECT k.rowid - 1 FROM carray(?) k CROSS JOIN tombstone t ON t.hash = k.value",
            (apsw.carray(tuple(hashes)),),
        )
        answer = [False] * len(hashes)
        for (place,) in rows:
            answer[place] = True
        return answer

    def add(self, hashes: Sequence[bytes]) -> None:
        self._database.write_many(
            "INSERT INTO tombstone (hash) VALUES (?) ON CONFLICT DO NOTHING", ((one,) for one in hashes)
        )

    def remove(self, hashes: Sequence[bytes]) -> None:
        self._database.write_many("DELETE FROM tombstone WHERE hash = ?", ((one,) for one in hashes))

    def page(self, after: bytes, limit: int) -> list[bytes]:
        """In order."""
        rows = self._database.rows("SELECT hash FROM tombstone WHERE hash > ? ORDER BY hash LIMIT ?", (after, limit))
        return [one for (one,) in rows]

    def key_check(self) -> bytes | None:
        found: bytes | None = self._database.one("SELECT value FROM meta WHERE key = 'key_check'")
        return found

    def keep_key_check(self, check: bytes) -> None:
        self._database.write(
            "INSERT INTO meta (key, value) VALUES ('key_check', ?) ON CONFLICT DO UPDATE SET value = excluded.value",
            (check,),
        )
