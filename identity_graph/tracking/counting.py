"""Runs of what arrives: one a source, for an hour, so that counts are exact and a request is no run."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace

from identity_graph.loaders import Loader
from identity_graph.model import Run, RunState
from identity_graph.normalise import NORMALISER_VERSION
from identity_graph.store.protocols import Store
from identity_graph.tally import Tally
from identity_graph.times import SECOND

LENGTH = 3_600 * SECOND


class Counting:
    """Where the run of each loader stands, as it is committed. A run that a kill left open goes on."""

    def __init__(
        self, store: Store, clock: Callable[[], int], new_id: Callable[[], str], policy: str, tally: Tally
    ) -> None:
        self._store = store
        self._policy = policy
        self._tally = tally
        self._clock = clock
        self._new_id = new_id
        self._runs: dict[str, Run] = {}
        self._shared = True

    def current(self, loader: Loader) -> Run:
        """Within the caller's transaction."""
        run = self._runs.get(loader.reference)
        if run is not None and self._clock() - run.started < LENGTH:
            return run
        if run is not None:
            self._end(run)
        begun = Run(
            id=self._new_id(),
            kind="track",
            state=RunState.RUNNING,
            started=self._clock(),
            source=loader.source,
            loader=loader.reference,
            fingerprint=hashlib.sha256(f"track\n{loader.reference}".encode()).hexdigest() if self._shared else None,
            policy=self._policy,
            normaliser=NORMALISER_VERSION,
        )
        return self._store.operations.begin_run(begun)

    def committed(self, runs: dict[str, tuple[Run, Run]]) -> None:
        """Of each loader: its run before and after."""
        for reference, (before, after) in runs.items():
            self._tally.add(before, after)
            self._runs[reference] = after

    def alone(self) -> None:
        """Another process goes on with these runs: this one begins runs of its own."""
        self._shared = False
        self._runs.clear()

    def close(self) -> None:
        with self._store.transaction():
            for run in self._runs.values():
                self._end(run)
        self._runs.clear()

    def _end(self, run: Run) -> None:
        self._store.operations.end_run(replace(run, state=RunState.DONE, ended=self._clock()))
