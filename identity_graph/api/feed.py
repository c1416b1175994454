"""The changes of a store as they come: one reader for everybody who waits for them, whichever process published them.

Nothing is kept for anybody. Who waits says after which number; what came lately is in memory once, for all, and what
came before that is read from the store, a page at a time. So a client that is slow costs no more than one that is not.
"""

from __future__ import annotations

import asyncio
from bisect import bisect_right
from collections.abc import AsyncGenerator, Sequence
from typing import Any

import anyio.to_thread

from identity_graph.errors import InputError
from identity_graph.model import Change
from identity_graph.store.protocols import Store

PAUSE = 0.02  # seconds between two looks at the store
PAGE = 100
KEPT = 2_000


class Feed:
    def __init__(self, store: Store) -> None:
        self._store = store
        self._recent: list[Change] = []
        self._since: int | None = None  # all later changes that were read are in `_recent`; None: nobody reads
        self._news = asyncio.Event()
        self._reader: asyncio.Task[None] | None = None
        self._watching = 0
        self._trouble: Exception | None = None

    async def start(self, after: int | None) -> int:
        """The number to go on from; None: from now on. Raises CURSOR_EXPIRED."""
        newest = (await anyio.to_thread.run_sync(self._store.transfer.standing)).change
        if after is not None and after > newest:
            raise InputError("CURSOR_EXPIRED", "the store never gave that cursor, or was put back to before it did")
        return newest if after is None else after

    async def pages(self, after: int) -> AsyncGenerator[Sequence[Change], None]:
        """What came after that number, in order, and then what comes. Raises what reading the store raises."""
        self._watching += 1
        try:
            while True:
                if self._reader is None:
                    self._trouble = None
                    self._reader = asyncio.create_task(self._read())
                if self._since is None or after < self._since:
                    page: Sequence[Change] = await self._page(after)
                    if not page and self._since is not None:
                        after = max(after, self._since)  # what is missing was erased
                        continue
                else:
                    first = bisect_right(self._recent, after, key=_number)
                    page = self._recent[first : first + PAGE]
                if page:
                    yield page
                    after = page[-1].number
                    continue
                await self._news.wait()
                if self._trouble is not None:
                    raise self._trouble
        finally:
            self._watching -= 1
            if not self._watching and self._reader is not None:
                self._reader.cancel()
                self._reader = None

    async def _read(self) -> None:
        """Until nobody waits, or the store cannot be read."""
        try:
            last = self._since = await self.start(None)
            self._recent = []
            self._tell()
            hidden = await self._hidden()
            while True:
                page = await self._page(last)
                before, hidden = hidden, await self._hidden()
                if hidden != before:  # what was read before is read anew, without those and with the others
                    self._recent, self._since = [], page[-1].number if page else last
                if not page:
                    await asyncio.sleep(PAUSE)
                    continue
                last = page[-1].number
                self._recent += page
                if len(self._recent) > KEPT:
                    dropped, self._recent = self._recent[:-KEPT], self._recent[-KEPT:]
                    self._since = dropped[-1].number
                self._tell()
        except Exception as error:
            self._trouble, self._reader = error, None
            self._tell()
        finally:
            self._since = None

    async def _page(self, after: int) -> Sequence[Change]:
        return await anyio.to_thread.run_sync(lambda: self._store.persons.changes(after=after, limit=PAGE))

    async def _hidden(self) -> Sequence[Any]:
        """Who is restricted, whose changes the store does not give."""
        return await anyio.to_thread.run_sync(self._store.privacy.restricted_persons)

    def _tell(self) -> None:
        self._news.set()
        self._news = asyncio.Event()


def _number(change: Change) -> int:
    return change.number
