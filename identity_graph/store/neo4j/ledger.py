"""What the store knows of itself: the one node that every writer takes hold of first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal

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
