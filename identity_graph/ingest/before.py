"""A file that was loaded before, byte for byte: it need not be mapped again to know that all of it is stored."""

from __future__ import annotations

from identity_graph.model import Run, RunState
from identity_graph.records.source import Source
from identity_graph.store.protocols import Store

LATEST = 100
"""Runs that are looked at. In a store with more than these since, a file is loaded as if for the first time."""


class Before:
    """`begun` is the run that is to be, not recorded yet."""

    def __init__(self, store: Store, begun: Run) -> None:
        self._begun = begun
        self._gone = "{} {}".format(*store.privacy.gone())
        going_on = store.operations.interrupted(begun.fingerprint or "", begun.loader)
        self._runs = [] if going_on else [run for run in store.operations.runs(limit=LATEST) if self._is_like(run)]

    def same(self, source: Source) -> Run | None:
        """The run that loaded the same content, and set nothing aside. Since then nothing was deleted: what it stored
        is there, and what it left out would be left out again."""
        if not self._runs:
            return None
        again = Source(source.path or "-", source.form)
        try:
            trail = self.trail(again)
        finally:
            again.close()
        return next((run for run in self._runs if run.trail == trail), None)

    def trail(self, source: Source) -> str:
        """What the run of this content is known by. A deletion meanwhile makes it one that never is found."""
        return f"{source.content()} {self._gone}"

    def _is_like(self, run: Run) -> bool:
        def decides(run: Run) -> tuple[object, ...]:
            return run.kind, run.fingerprint, run.loader, run.default_time, run.normaliser

        return run.state is RunState.DONE and not run.quarantined and decides(run) == decides(self._begun)
