"""What has to be in the log of privileged actions, around what is done for a request."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from identity_graph.access import Caller
from identity_graph.audit import AuditLog, Ending


@asynccontextmanager
async def recorded(audit: AuditLog | None, caller: Caller | None, action: str) -> AsyncIterator[Ending]:
    """In the log, where there is one and the action has a name there. It is a file: a thread waits for it."""
    if not (audit and action):
        yield Ending()
        return
    record = audit.recorded(caller, action)
    ending = await asyncio.to_thread(record.__enter__)
    try:
        yield ending
    except BaseException as error:
        await asyncio.to_thread(record.__exit__, type(error), error, error.__traceback__)
        raise
    await asyncio.to_thread(record.__exit__, None, None, None)
