"""What clients wait for."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

import anyio.to_thread
import strawberry

from identity_graph import model
from identity_graph.api.change import FEED, Change
from identity_graph.api.context import Info
from identity_graph.api.field import subscription
from identity_graph.api.lookup import PersonBy
from identity_graph.api.paging import Window, given
from identity_graph.api.run import Run
from identity_graph.errors import NotFound
from identity_graph.model import ChangeKind, RunState

PAUSE = 0.2  # seconds between two looks at a run, which moves with each batch


@strawberry.type
class Subscription:
    @subscription(
        Change,
        "What happens to persons from now on or, with a cursor of a change, from there on; of one person, and whatever"
        " it is merged into; who enters and leaves one segment, and who is erased.",
    )
    async def changes(
        self,
        info: Info,
        after: str | None = strawberry.UNSET,
        kinds: list[model.ChangeKind] | None = strawberry.UNSET,
        person: PersonBy | None = strawberry.UNSET,
        segment: str | None = strawberry.UNSET,
    ) -> AsyncGenerator[Any, None]:
        window = Window.read(FEED, (int,), after=given(after))
        feed = info.context.feed
        assert feed is not None, "the endpoint has one"
        start = await feed.start(int(window.key[0]) if window.key else None)
        resumes = window.key is not None
        watch = Watch(
            await _ids(given(person), info, resumes),
            await _known(given(segment), info, resumes),
            frozenset(given(kinds) or ChangeKind),
        )
        info.context.changed()  # lets go of what was read to begin with
        async with aclosing(feed.pages(start)) as pages:
            async for page in pages:
                for change in page:
                    if watch.takes(change):
                        yield change
                    if watch.over:
                        return

    @subscription(
        Run,
        "A run as it stands, and again each time that it has moved, until it ends or is interrupted. Who was cut off"
        " asks again.",
    )
    async def progress(self, info: Info, run: strawberry.ID) -> AsyncGenerator[Any, None]:
        find, shown = info.context.graph.store.operations.find_runs, None
        while True:
            (found,) = await anyio.to_thread.run_sync(find, [str(run)])
            if found is None:
                raise NotFound("RUN_UNKNOWN", "no run has this id")
            if found != shown:
                yield (shown := found)
            if found.state is not RunState.RUNNING:
                return
            await asyncio.sleep(PAUSE)


@dataclass(slots=True)
class Watch:
    """Which changes a client waits for. `persons` are ids of one person, None: everybody; a merge adds its survivor."""

    persons: set[str] | None
    segment: str | None
    kinds: frozenset[ChangeKind]
    over: bool = field(default=False, init=False)

    def takes(self, change: model.Change) -> bool:
        if self.persons is not None:
            came = self.persons.intersection(change.from_ids)
            if not came and change.person_id not in self.persons and self.persons.isdisjoint(change.to_ids):
                return False
            if change.kind is ChangeKind.MERGED and came:
                self.persons.add(change.person_id)
            self.over = change.kind is ChangeKind.ERASED
        # Who is erased left every segment, and nothing says any more which.
        if self.segment is not None and change.segment != self.segment and change.kind is not ChangeKind.ERASED:
            return False
        return change.kind in self.kinds


async def _ids(by: PersonBy | None, info: Info, resumes: bool) -> set[str] | None:
    """Who goes on from a cursor may ask for a person that is no more: there the feed tells so."""
    if by is None:
        return None
    found = by.find(info)
    person: model.Person | None = found if isinstance(found, model.Person | None) else await found
    named = {str(by.id)} if by.id is not strawberry.UNSET else set()
    if person is not None:
        return {person.id, *named}
    if not (resumes and named):
        raise NotFound("PERSON_UNKNOWN", "nobody is known by that")
    return named


async def _known(segment: str | None, info: Info, resumes: bool) -> str | None:
    if segment is not None and not resumes:
        (found,) = await info.context.reads.segments.load_all([segment])
        if found is None:
            raise NotFound("SEGMENT_UNKNOWN", "no segment is called so")
    return segment
