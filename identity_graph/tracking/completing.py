"""A message as the spec says that it is stored: with an id, and a time that no wrong clock of a sender has spoilt."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from identity_graph.consent import SALE
from identity_graph.errors import InputError
from identity_graph.times import NUMBERS_SINCE, SECOND, format_time, parse_time

TOLERANCE = 60 * SECOND
"""A clock that is less wrong than this is right: what was said stands to the microsecond, however long it was under way
or was sent again."""

_OF_THE_SENDING = ("writeKey", "_metadata")


class Completing:
    """For the messages of one request, received at one time; `sent_at` is what their sender's clock then said.
    `objects`: whoever they are of objects to being sold or shared."""

    def __init__(self, received: int, sent_at: Any, new_id: Callable[[], str], objects: bool = False) -> None:
        self._received = received
        self._new_id = new_id
        self._wrong = self._off(sent_at)
        self._objects = objects

    def complete(self, message: dict[str, Any]) -> bool:
        """In place. True where its time now depends on when it came, so that a repeated one would get another."""
        for name in _OF_THE_SENDING:
            message.pop(name, None)
        if message.get("messageId") in (None, ""):
            message["messageId"] = self._new_id()
        if self._objects:
            _object(message)
        return self._date(message)

    def _off(self, sent_at: Any) -> int:
        """By how much the sender's clock is behind; 0 where it is right, or did not say."""
        if sent_at is None or sent_at == "":
            return 0
        try:
            off = self._received - parse_time(sent_at, numbers_since=NUMBERS_SINCE)
        except InputError:
            return 0
        return off if abs(off) > TOLERANCE else 0

    def _date(self, message: dict[str, Any]) -> bool:
        said = next(filter(_is_said, map(message.get, ("timestamp", "originalTimestamp"))), None)
        if said is None:
            message["timestamp"] = format_time(self._received)
            return True
        if not self._wrong:
            return False
        with suppress(InputError):  # it is refused by the loader, which knows how
            right = format_time(parse_time(said, numbers_since=NUMBERS_SINCE) + self._wrong)
            message |= {"timestamp": right, "originalTimestamp": said}
        return True


def _is_said(value: Any) -> bool:
    """As a loader takes it: 0 is something, if no time."""
    return value is not None and value != "" and value != []


def _object(message: dict[str, Any]) -> None:
    """Say so where the spec has what is said of consent. What is no object there is kept beside."""
    at = message
    for name in ("context", "consent", "categoryPreferences"):
        below = at.get(name)
        if not isinstance(below, dict):
            below = {} if below is None else {"sent": below}
        at[name] = at = dict(below)
    at[SALE] = False
