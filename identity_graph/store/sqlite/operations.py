"""Runs, quarantine, counts: the operations protocol on SQLite."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import fields, replace

from identity_graph.model import Quarantined, Run, RunState
from identity_graph.store.sqlite.columns import number_set, text_set
from identity_graph.store.sqlite.connection import Connection
from identity_graph.store.sqlite.digest import canonical_lines
from identity_graph.store.sqlite.tree import OBSERVATION

_NAMES = tuple(field.name for field in fields(Run))
_FIELDS = ", ".join(_NAMES)

_COUNTS = {
    "events": "SELECT count(*) FROM event",
    "identifiers": "SELECT count(*) FROM identifier",
    "observations": "SELECT (SELECT count(*) FROM recent_observation)"
    f" + (SELECT coalesce(sum(length(entries)), 0) / {OBSERVATION.width} FROM part_observation)",
    "persons": "SELECT count(*) FROM person WHERE survivor IS NULL",
    "retired_persons": "SELECT count(*) FROM person WHERE survivor IS NOT NULL",
    "memberships": "SELECT count(*) FROM member",
    "largest_person": "SELECT coalesce(max(n), 0) FROM (SELECT count(*) AS n FROM member GROUP BY person)",
    "hubs": "SELECT count(*) FROM pruned WHERE code = 'HUB'",
    "pruned": "SELECT count(*) FROM pruned",
    "suppressed_links": "SELECT count(*) FROM suppressed",
    "segments": "SELECT count(*) FROM segment",
    "changes": "SELECT count(*) FROM change",
    "quarantined": "SELECT count(*) FROM quarantine",
    "tombstones": "SELECT count(*) FROM tombstone",
    "bytes": "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size",
}


class SqliteOperations:
    def __init__(self, database: Connection) -> None:
        self._database = database

    def begin_run(self, run: Run) -> Run:
        # Whoever cuts the power before anything else is stored loses nothing but that it began.
        with self._database.transaction(durable=False):
            found = None if run.fingerprint is None else self.interrupted(run.fingerprint, run.loader)
            if found is None:
                insert_run(self._database, run)
                return run
            begun = replace(found, state=RunState.RUNNING, ended=None, message="")
            self.end_run(begun)
            return begun

    def interrupted(self, fingerprint: str, loader: str) -> Run | None:
        found = self._database.rows(
            f"SELECT {_FIELDS} FROM run WHERE fingerprint = ? AND loader = ? AND state <> 'DONE'",
            (fingerprint, loader),
        )
        return _run(found[0]) if found else None

    def end_run(self, run: Run) -> None:
        names = _NAMES[1:]
        self._database.write(
            f"UPDATE run SET ({', '.join(names)}) = ({', '.join('?' * len(names))}) WHERE id = ?",
            (*_row(run)[1:], run.id),
        )

    def runs(self, *, before: str = "", limit: int = 100) -> list[Run]:
        rows = self._database.rows(
            f"SELECT {_FIELDS} FROM run WHERE ?1 = '' OR (started, id) < (SELECT started, id FROM run WHERE id = ?1)"
            " ORDER BY started DESC, id DESC LIMIT ?2",
            (before, limit),
        )
        return [_run(row) for row in rows]

    def find_runs(self, ids: Sequence[str]) -> list[Run | None]:
        if not ids:
            return []
        rows = self._database.rows(
            f"SELECT {_FIELDS} FROM carray(?) k CROSS JOIN run ON id = k.value", (text_set(set(ids)),)
        )
        found = {row[0]: _run(row) for row in rows}
        return [found.get(id) for id in ids]

    def quarantined(self, *, after: int = 0, limit: int = 100, code: str | None = None) -> list[Quarantined]:
        rows = self._database.rows(
            "SELECT q.number, q.run_id, r.source, r.loader, q.line, q.offset, q.code, q.message, q.record, q.time"
            " FROM quarantine q LEFT JOIN run r ON r.id = q.run_id"
            f" WHERE q.number > ? {'' if code is None else 'AND q.code = ?'} ORDER BY q.number LIMIT ?",
            (after, limit) if code is None else (after, code, limit),
        )
        return [Quarantined(*row) for row in rows]

    def newest_quarantined(self) -> int:
        found: int = self._database.one("SELECT coalesce(max(number), 0) FROM quarantine")
        return found

    def quarantine_sizes(self, after: int, limit: int) -> list[tuple[int, int, int]]:
        rows = self._database.rows(
            "SELECT number, time, length(record) FROM quarantine WHERE number > ? ORDER BY number LIMIT ?",
            (after, limit),
        )
        return [(number, time, size) for number, time, size in rows]

    def release(self, numbers: Sequence[int]) -> None:
        if numbers:
            self._database.write(
                "DELETE FROM quarantine WHERE number IN (SELECT value FROM carray(?))", (number_set(numbers),)
            )

    def counts(self) -> dict[str, int]:
        with self._database.snapshot():
            return {name: self._database.one(statement) for name, statement in _COUNTS.items()}

    def canonical_lines(self) -> Iterator[bytes]:
        """Of one moment; to be read to its end, or closed, in the thread that began it."""
        return canonical_lines(self._database)


def insert_run(database: Connection, run: Run) -> None:
    database.write(f"INSERT INTO run ({_FIELDS}) VALUES ({', '.join('?' * len(_NAMES))})", _row(run))


def runs_by_id(database: Connection, after: str, limit: int) -> list[Run]:
    rows = database.rows(f"SELECT {_FIELDS} FROM run WHERE id > ? ORDER BY id LIMIT ?", (after, limit))
    return [_run(row) for row in rows]


def _row(run: Run) -> tuple[object, ...]:
    return tuple(getattr(run, name) for name in _NAMES)


def _run(row: Sequence[object]) -> Run:
    id, kind, state, *rest = row
    return Run(id, kind, RunState(state), *rest)  # type: ignore[arg-type]
