"""When what happens to whom: every moment of the world's two years, drawn beforehand and put in order."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from datetime import UTC, datetime
from enum import IntEnum
from typing import NamedTuple

from identity_graph.world.dice import Dice
from identity_graph.world.people import Cast, Person

END = datetime(2026, 6, 30, tzinfo=UTC)
DAYS = 730
SPAN = DAYS * 86_400
"""Seconds of the world, which ends at `END`."""

_LAST = SPAN - 7_200


class Kind(IntEnum):
    """What may happen. The subject is a person, except of TABLET a household, of CRAWL a crawler."""

    VISIT = 0
    SIGN_UP = 1
    UPDATE = 2
    MARRY = 3
    NEW_PHONE = 4
    NEW_APP = 5
    CARD = 6
    SECOND_CARD = 7
    STORE = 8
    KIOSK = 9
    TABLET = 10
    CRAWL = 11


class Moment(NamedTuple):
    second: int
    kind: Kind
    subject: int


class Calendar:
    """Moments, 8 bytes each. `sessions` is how often a person visits, in the mean of those who do not come often."""

    def __init__(self, cast: Cast, dice: Dice, sessions: float) -> None:
        self.dice = dice
        self._packed = array("Q")
        self._signed_up: dict[int, int] = {}
        for person in cast.people:
            self._life(person, sessions)
        self._share(Kind.MARRY, cast.members, 0.03)
        self._share(Kind.NEW_APP, [person for person in cast.members if person.app], 0.25)
        self._share(Kind.NEW_PHONE, [person for person in cast.members if not person.next_phone], 0.02)
        self._share(Kind.KIOSK, cast.members, 0.05, at_least=15 * len(cast.kiosks))
        for giver, taker in cast.recycled:
            start = self._signed_up[giver.number]
            given = start + dice.below((_LAST - start) * 6 // 10)
            self._add(given, Kind.NEW_PHONE, giver.number)
            self._add(self._after(max(given, self._signed_up[taker.number])), Kind.NEW_PHONE, taker.number)
        for number, household in enumerate(cast.households):
            if household.tablet:
                for _ in range(4 + dice.often(sessions)):
                    self._add(self._after(0), Kind.TABLET, number)
        for number in range(len(cast.crawlers)):
            for _ in range(dice.between(2, 6)):
                self._add(self._after(0), Kind.CRAWL, number)

    def __iter__(self) -> Iterator[Moment]:
        kinds = list(Kind)
        self._packed = array("Q", sorted(self._packed))
        for packed in self._packed:
            yield Moment(packed >> 36, kinds[packed >> 32 & 15], packed & 0xFFFF_FFFF)

    def _add(self, second: int, kind: Kind, subject: int) -> None:
        self._packed.append(second << 36 | kind << 32 | subject)

    def _after(self, second: int) -> int:
        return second + self.dice.below(max(1, _LAST - second))

    def _life(self, person: Person, sessions: float) -> None:
        dice, number = self.dice, person.number
        arrival = dice.below(_LAST * 7 // 10)
        visits = 1 + dice.often(sessions) * (4 if dice.chance(0.05) else 1)
        for _ in range(visits if person.email else min(visits, 6)):
            self._add(self._after(arrival), Kind.VISIT, number)
        if person.user_id:
            arrival += dice.below(20 * 86_400)
            self._signed_up[number] = arrival
            self._add(arrival, Kind.SIGN_UP, number)
            for _ in range(dice.often(0.8)):
                self._add(self._after(arrival), Kind.UPDATE, number)
        if person.email and dice.chance(0.5):
            arrival = self._after(arrival)
            self._add(arrival, Kind.CARD, number)
            for _ in range(dice.often(3)):
                self._add(self._after(arrival), Kind.STORE, number)
            if dice.chance(0.12):
                self._add(self._after(arrival), Kind.SECOND_CARD, number)

    def _share(self, kind: Kind, candidates: list[Person], share: float, at_least: int = 1) -> None:
        """What befalls some of those who signed up, once each and after they did."""
        if at_least:
            for person in self.dice.sample(candidates, max(at_least, int(len(candidates) * share))):
                self._add(self._after(self._signed_up[person.number]), kind, person.number)
