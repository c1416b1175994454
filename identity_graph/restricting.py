"""Restricts a person: nobody but the privacy desk sees it, until that is taken back or it is erased."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from identity_graph.erased_register import ErasedRegister
from identity_graph.erasing import ErasureState
from identity_graph.model import Identifier, Person, Restriction
from identity_graph.people import People
from identity_graph.segments import Segments
from identity_graph.store.protocols import IdentifierRow, Store


class Restrictions:
    """`people` are all, restricted ones too."""

    def __init__(
        self, store: Store, people: People, segments: Segments, register: ErasedRegister, clock: Callable[[], int]
    ) -> None:
        self._store = store
        self._register = register
        self._people = people
        self._segments = segments
        self._clock = clock

    def find(self, by: Identifier | str) -> Person | None:
        """Whoever it is, by an identifier or a person id; restricted ones too."""
        if isinstance(by, Identifier):
            return self._people.find_by_identifier([by])[0]
        return self._people.find([by])[0]

    def find_any(self, forms: Sequence[Identifier]) -> tuple[Identifier, Person | None]:
        """Of the forms that one identifier has and had, the first by which somebody is known, and that person; else the
        first form."""
        found = zip(forms, self._people.find_by_identifier(forms), strict=True)
        return next(((form, person) for form, person in found if person), (forms[0], None))

    def restrict(self, person_id: str) -> Restriction | None:
        """From the next read on nobody finds the person, and it is in no segment, whatever is resolved later: it holds
        to the identifiers that the person has now. None where nobody has the id. May be repeated. The register hears of
        it then, so that it is restricted in a restored store as well: raises ERASED_REGISTER and STORE_KEY."""
        with self._store.transaction():
            (person,) = self._people.find([person_id])
            if person is None:
                return None
            self._store.privacy.restrict([(number, self._clock()) for number in self._numbers(person)])
            leave_segments(self._store, person.id, self._clock())
            restriction, held = self._of(person), self._identifiers(person)
        self._register.restrict(self._store, held)
        return restriction

    def hide(self, person_id: str) -> tuple[str, list[int]] | None:
        """As `restrict`, but leaves it in its segments, for who is about to erase it: the person's own id, and the
        identifier numbers that this restricted."""
        with self._store.transaction():
            (person,) = self._people.find([person_id])
            if person is None:
                return None
            before = dict(self._store.privacy.restricted())
            numbers = [number for number in self._numbers(person) if number not in before]
            self._store.privacy.restrict([(number, self._clock()) for number in numbers])
            return person.id, numbers

    def show(self, numbers: Sequence[int]) -> None:
        """Take back what `hide` did; who is not restricted any more is in its segments again."""
        with self._store.transaction():
            self._store.privacy.unrestrict(numbers)
            rows = self._store.evidence.identifiers_by_number(numbers)
            owners = sorted({row.person for row in rows if row and row.person is not None})
            ids = [row.id for row in self._store.persons.persons_by_number(owners) if row]
            seen = [one.id for one in self._people.find(ids) if one and self._of(one) is None]
            self._segments.refresh(seen)

    def lift(self, numbers: Sequence[int]) -> None:
        """Let the register know which of them are not restricted any more. After `show`, and outside of its
        transaction: what is told must be true. Raises ERASED_REGISTER."""
        if not numbers:
            return
        held = dict(self._store.privacy.restricted())
        rows = self._store.evidence.identifiers_by_number([number for number in numbers if number not in held])
        self._register.lift(self._store, [row.identifier for row in rows if row])

    def unrestrict(self, person_id: str) -> bool:
        """Whether it was restricted. It is in the segments again whose conditions it meets, and an erasure of it that
        was interrupted is called off."""
        with self._store.transaction():
            (person,) = self._people.find([person_id])
            if person is None or self._of(person) is None:
                return False
            self._store.privacy.unrestrict(self._numbers(person))
            waiting = [one for one in self._store.erasures.open() if one.person_id == person.id]
            called_off = [replace(one, state=ErasureState.REFUSED, code="TOKEN_INVALID") for one in waiting]
            self._store.erasures.keep(called_off)
            self._segments.refresh([person.id])
            seen = self._identifiers(person)
        self._register.lift(self._store, seen)
        return True

    def all(self) -> list[Restriction]:
        """In order of person id."""

        def read() -> list[Restriction]:
            ids = sorted(row.id for row in self._store.privacy.restricted_persons() if row.survivor is None)
            return [found for person in self._people.find(ids) if person and (found := self._of(person))]

        return self._store.moment(read)

    def _of(self, person: Person) -> Restriction | None:
        since = dict(self._store.privacy.restricted())
        held = [since[number] for number in self._numbers(person) if number in since]
        return Restriction(person.id, min(held), len(held)) if held else None

    def _numbers(self, person: Person) -> list[int]:
        return [member.number for member in self._members(person)]

    def _identifiers(self, person: Person) -> list[Identifier]:
        return [member.identifier for member in self._members(person)]

    def _members(self, person: Person) -> list[IdentifierRow]:
        (row,) = self._store.persons.persons([person.id])
        assert row is not None
        return self._store.persons.members([row.number])[0]


def leave_segments(store: Store, person_id: str, now: int) -> None:
    """Within a transaction."""
    (names,) = store.segments.of_persons([person_id])
    for segment in store.segments.segments(names):
        if segment is not None:
            store.segments.refresh(segment.name, [], [person_id], segment.evaluated, now)
