"""Words of deliveries: how far a destination was told, and what is on its way to it.

Nothing here holds what is delivered, only between which two places it lies: the content is read anew for each attempt.
So whoever is erased meanwhile is in no later attempt, and an erasure finds nothing here to delete.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import orjson


@dataclass(frozen=True, slots=True)
class Place:
    """All changes up to number `change` are told, once all members are. Of those, who is up to the id `member` are
    told, in order of id; None: all are."""

    change: int
    member: str | None


@dataclass(frozen=True, slots=True)
class Parcel:
    """One message: what of a segment comes after `start`, up to `end`. The id is the same at each attempt.

    `due` is the time of the next attempt, `trouble` what the last one came to.
    """

    id: str
    destination: str
    segment: str
    start: Place
    end: Place
    made: int
    attempts: int = 0
    due: int = 0
    trouble: str = ""

    def pack(self) -> str:
        """As stores keep it."""
        return orjson.dumps(self).decode()

    @classmethod
    def unpack(cls, text: str) -> Parcel:
        """
        >>> parcel = Parcel("id", "crm", "gold", Place(3, ""), Place(3, "p7"), 12, trouble="503")
        >>> Parcel.unpack(parcel.pack()) == parcel
        True
        """
        return _parcel(orjson.loads(text))


@dataclass(frozen=True, slots=True)
class Delivery:
    """How far the destination of that name was told of the segment; `parcels` arrived, the last one at `latest`."""

    destination: str
    segment: str
    reached: Place
    pending: Parcel | None = None
    parcels: int = 0
    latest: int | None = None

    def pack(self) -> str:
        return orjson.dumps(self).decode()

    @classmethod
    def unpack(cls, text: str) -> Delivery:
        found = orjson.loads(text)
        pending = _parcel(found.pop("pending")) if found["pending"] else found.pop("pending")
        return cls(**(found | {"reached": Place(**found["reached"])}), pending=pending)


@dataclass(frozen=True, slots=True)
class Activated:
    """What one activation of a destination came to: so many `persons` (in a file) or members and changes (in messages)
    were delivered; `set_aside` are messages that became dead letters. `trouble` is why more waits, until `due`."""

    destination: str
    delivered: int = 0
    parcels: int = 0
    set_aside: int = 0
    trouble: str = ""
    due: int | None = None


def _parcel(found: dict[str, Any]) -> Parcel:
    return Parcel(**(found | {"start": Place(**found["start"]), "end": Place(**found["end"])}))
