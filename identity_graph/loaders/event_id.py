"""Which column of an unknown table is the id of its events. A wrong one loses data: what has changed since would be set
aside as another event of the same id. So where names and values do not say it, there is none."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple

from identity_graph.legible import legible
from identity_graph.loaders import clues
from identity_graph.loaders.columns import Column

_NEVER_WRITTEN_AGAIN = {
    *("message", "event", "change", "entry", "log", "revision", "version", "hit", "click", "activity", "interaction"),
}
_HAPPENING = {
    *("order", "transaction", "receipt", "invoice", "payment", "purchase", "sale", "booking", "reservation", "ticket"),
    *("visit", "call", "refund", "return"),
}
_AMOUNTS = {
    *("amount", "total", "subtotal", "price", "value", "quantity", "qty", "revenue", "cost", "points", "currency"),
    *("sku", "product", "item", "items", "url", "page"),
}
_PERSONS = {*clues.PERSONS, *("person", "people", "lead", "subscriber", "profile")}
_PERSONS |= {f"{word}s" for word in _PERSONS}
_PERSONAL = {"firstName", "lastName", "name", "birthday", "gender", "age"}
CHANGING = {"updated", "modified", "changed", "edited", "update", "modification"}


class EventId(NamedTuple):
    """The column of the event's id, or the one of the person's (never both), and why."""

    event: Column | None
    person: Column | None
    why: str


def event_id(columns: Sequence[Column], taken: Collection[str], count: int, stem: str) -> EventId:
    """Of columns of `count` records; the paths `taken` are identifiers, `stem` is what the file is called."""
    called = [column for column in columns if len(column.steps) == 1 and clues.is_id(column.name)]
    own = [column for column in called if column.records == count and len(set(column.values)) >= 0.95 * count]
    free = [column for column in own if column.path not in taken]
    changing = next((column for column in columns if CHANGING & set(clues.words(column.name))), None)
    for column in free:
        said = set(clues.words(column.name))
        if said & _NEVER_WRITTEN_AGAIN or (said & _HAPPENING and not changing):
            return EventId(column, None, _of_an_event(column))
    if free:
        return _undecided(free[0], columns, changing, stem)
    if own:
        return EventId(None, None, _of_a_person(own[0]))
    if called:
        return EventId(None, None, f"{legible(called[0].path)} has no value of its own in every record")
    return EventId(None, None, "no column is called as ids are")


def happening(columns: Sequence[Column]) -> bool:
    """Whether the records are of something that happened at a time: they have a name for it, or an amount."""
    if not any(clues.is_called_time(column.name) for column in columns):
        return False
    top = [column for column in columns if len(column.steps) == 1]
    return any(
        column.name.lower() in clues.EVENT_NAMES
        or set(clues.words(column.name)) & _AMOUNTS
        or (clues.words(column.name) == ["name"] and not clues.distinct(column.values))
        for column in top
    )


def _undecided(column: Column, columns: Sequence[Column], changing: Column | None, stem: str) -> EventId:
    personal = bool(set(clues.words(stem)) & _PERSONS) or any(
        clues.trait(column.name, column.values) in _PERSONAL for column in columns if len(column.steps) == 1
    )
    happens = happening(columns)
    if happens and not personal and not changing:
        return EventId(column, None, _of_an_event(column))
    if personal and not happens:
        return EventId(None, column, _of_a_person(column))
    if changing:
        return EventId(None, None, f"{legible(changing.path)} says that what has one {legible(column.path)} changes")
    return EventId(None, None, f"{legible(column.path)} may be the person's as well as the event's")


def _of_an_event(column: Column) -> str:
    if clues.unique_everywhere(column.name, column.values):
        return "every record has one of its own"
    return "every record has one of its own, and other tables may have it"


def _of_a_person(column: Column) -> str:
    return f"{legible(column.path)} is the person's, of whom there may be more than one event"
