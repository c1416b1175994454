"""How a run comes to its end."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

from identity_graph.errors import IdentityGraphError, StoreError
from identity_graph.model import Run, RunState
from identity_graph.store.protocols import Store


class Ending:
    """A run is ended as DONE or PAUSED, or as FAILED by an error that has a code. A kill leaves it running."""

    def __init__(self, store: Store, clock: Callable[[], int], run: Run) -> None:
        self._store = store
        self._clock = clock
        self.run = run

    def __enter__(self) -> Ending:
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        # Where another process has moved the run on, it is that one's to end.
        if isinstance(error, IdentityGraphError) and error.code != "SOURCE_CHANGED":
            error.run = self.run
            with suppress(StoreError):  # a full disk: then the run stays as it is, and goes on as any other
                error.run = self._end(RunState.FAILED, f"{error.code}: {error.message}"[:500])

    def _end(self, state: RunState, message: str) -> Run:
        ended = replace(self.run, state=state, ended=self._clock(), message=message)
        self._store.operations.end_run(ended)
        return ended

    def done(self, message: str = "", *, trail: str | None = None) -> Run:
        if trail is not None:
            self.run = replace(self.run, trail=trail)
        return self._end(RunState.DONE, message[:500])

    def paused(self) -> Run:
        return self._end(RunState.PAUSED, "")
