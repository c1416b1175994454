"""Runs, quarantine, counts: the operations protocol on Neo4j."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

from identity_graph.model import Quarantined, Run, RunState
from identity_graph.store.neo4j.chunks import in_chunks
from identity_graph.store.neo4j.connection import Connection
from identity_graph.store.neo4j.digest import canonical_lines
from identity_graph.store.numbered import is_plain

_COUNTS = (
    "events",
    "identifiers",
    "observations",
    "persons",
    "retired_persons",
    "memberships",
    "largest_person",
    "hubs",
    "pruned",
    "suppressed_links",
    "segments",
    "changes",
    "quarantined",
    "tombstones",
)


class Neo4jOperations:
    def __init__(self, database: Connection) -> None:
        self._database = database

    def begin_run(self, run: Run) -> Run:
        return self._database.attempt(lambda: self._begin_run(run))

    def _begin_run(self, run: Run) -> Run:
        found = None if run.fingerprint is None else self.interrupted(run.fingerprint, run.loader)
        if found is None:
            insert_run(self._database, run)
            return run
        begun = replace(found, state=RunState.RUNNING, ended=None, message="")
        self.end_run(begun)
        return begun

    def interrupted(self, fingerprint: str, loader: str) -> Run | None:
        found = self._database.read("operations/interrupted", fingerprint=fingerprint, loader=loader)
        return _run(found[0][0]) if found else None

    def end_run(self, run: Run) -> None:
        self._database.write("operations/end_run", id=run.id, run=_properties(run))

    def runs(self, *, before: str = "", limit: int = 100) -> list[Run]:
        if before:
            rows = self._database.read("operations/runs_before", before=before, limit=limit)
        else:
            rows = self._database.read("operations/runs", limit=limit)
        return [_run(row) for (row,) in rows]

    def find_runs(self, ids: Sequence[str]) -> list[Run | None]:
        wanted = sorted({id for id in ids if is_plain(id)})
        rows = self._database.read("operations/find_runs", ids=wanted) if wanted else []
        found = {run.id: run for run in (_run(row) for (row,) in rows)}
        return [found.get(id) for id in ids]

    def quarantined(self, *, after: int = 0, limit: int = 100, code: str | None = None) -> list[Quarantined]:
        if code is None:
            rows = self._database.read("operations/quarantined", after=after, limit=limit)
        else:
            rows = self._database.read("operations/quarantined_code", code=code, after=after, limit=limit)
        return [Quarantined(*[*row[:8], row[8] or b"", row[9] or 0]) for row in rows]

    def newest_quarantined(self) -> int:
        found: int = self._database.one("operations/newest_quarantined")[0]
        return found

    def quarantine_sizes(self, after: int, limit: int) -> list[tuple[int, int, int]]:
        rows = self._database.read("operations/quarantine_sizes", after=after, limit=limit)
        return [(number, time, size) for number, time, size in rows]

    def release(self, numbers: Sequence[int]) -> None:
        with self._database.transaction():
            for chunk in in_chunks(sorted(set(numbers))):
                self._database.write("operations/release", numbers=chunk)

    def counts(self) -> dict[str, int]:
        """Without `bytes`: a server does not say how much of its disk is whose."""
        (found,) = self._database.one("operations/counts")
        return {name: found[name] for name in _COUNTS}

    def canonical_lines(self) -> Iterator[bytes]:
        """Of one moment; to be read to its end, or closed, in the thread that began it."""
        return canonical_lines(self._database)


def insert_run(database: Connection, run: Run) -> None:
    database.write("operations/begin_run", run=_properties(run))


def runs_by_id(database: Connection, after: str, limit: int) -> list[Run]:
    return [_run(row) for (row,) in database.read("transfer/runs", after=after, limit=limit)]


def _properties(run: Run) -> dict[str, Any]:
    return {**asdict(run), "state": run.state.value}


def _run(properties: Mapping[str, Any]) -> Run:
    return Run(**{**properties, "state": RunState(properties["state"])})
