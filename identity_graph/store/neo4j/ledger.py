"""What the store knows of itself: the one node that every writer takes hold of first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal

from identity_graph.event_sum import EMPTY, added, event_sum, without

Counter = Literal["event", "identifier", "person", "change", "quarantined"]


class Ledger:
    """The properties of the `Store` node as one transaction found them, and what it changes.

    Counters hold the highest number ever given, so that no number is given twice.
    """

    def __init__(self, properties: Mapping[str, Any]) -> None:
        self._known = dict(properties)
        self.changed: dict[str, Any] = {}
        self.published = False  # whether readers must be told that what they read is no more

    def copy(self) -> Ledger:
        found = Ledger(self._known)
        found.take_over(self)
        return found

    def take_over(self, other: Ledger) -> None:
        """What another one changed."""
        self.changed, self.published = dict(other.changed), other.published

    def get(self, name: str, default: Any = None) -> Any:
        return self.changed.get(name, self._known.get(name, default))

    def all(self) -> Mapping[str, Any]:
        return {**self._known, **self.changed}

    def set(self, name: str, value: Any) -> None:
        self.changed[name] = value

    def take(self, counter: Counter, count: int) -> int:
        """The first of so many new numbers."""
        last: int = self.get(counter, 0)
        self.set(counter, last + count)
        return last + 1

    def count_in(self, ids: Iterable[str]) -> None:
        """Into the digest of which events there are, before they get their numbers."""
        if (found := self.event_sum()) is not None:
            self.set("event_sum", added(found, event_sum(ids)).hex())

    def count_out(self, ids: Iterable[str]) -> None:
        if (found := self.event_sum()) is not None:
            self.set("event_sum", without(found, event_sum(ids)).hex())

    def event_sum(self) -> bytes | None:
        """None of a store that had events before it was kept."""
        text = self.get("event_sum")
        if text is None:
            return None if self.get("event", 0) else EMPTY
        return bytes.fromhex(text)

    def publish(self) -> None:
        """What was published before is no more."""
        self.published = True

    def next_edition(self) -> int:
        """Whoever writes what persons are marks them with it."""
        number: int = self.get("edition", 0) + 1
        self.set("edition", number)
        return number

    def intern(self, names: Iterable[str]) -> Mapping[str, int]:
        """Sources as positions in the list of all of them; new ones come last."""
        known: list[str] = list(self.get("sources", ()))
        new = sorted(set(names) - set(known))
        if new:
            known += new
            self.set("sources", known)
        return {name: number for number, name in enumerate(known)}
