"""Delivers segments: members to files, members and changes to webhooks.

A file is written anew, whole or not at all. A webhook first gets the members as they are, then what changes, in parcels
of at most a hundred, in order. A parcel is noted in the store before it is sent and passed by after it arrived, so it
arrives at least once, whatever is killed when, and always under the same id. What is in it is read when it is sent:
whoever was erased meanwhile is not.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from threading import Event
from typing import Any

import orjson

from identity_graph.delivery import Activated, Delivery, Parcel, Place
from identity_graph.destinations import Destination, read_destinations
from identity_graph.errors import InputError, NotFound, SettingError
from identity_graph.model import Change, ChangeKind
from identity_graph.people import People
from identity_graph.roster import Roster
from identity_graph.secret_file import replace_secret
from identity_graph.segment import built_on, consents_in
from identity_graph.store.protocols import Store
from identity_graph.times import SECOND, format_time
from identity_graph.webhook import Sent, send, wait_for_next

PARCEL = 100  # members or changes
_SCANNED = 1000
_TOLD = (ChangeKind.ENTERED, ChangeKind.LEFT, ChangeKind.ERASED)


class Activation:
    """`places` is the file of destinations, read when first needed. `private`: whether webhooks may be anywhere."""

    def __init__(
        self,
        store: Store,
        people: People,
        allowed: Callable[[str], Callable[[], People]],
        clock: Callable[[], int],
        new_id: Callable[[], str],
        places: Path | None = None,
        *,
        private: bool = False,
    ) -> None:
        self._store = store
        self._people = people
        self._allowed = allowed
        self.clock = clock
        self._new_id = new_id
        self._places = places
        self._private = private
        self._known: Mapping[str, Destination] | None = None

    @property
    def destinations(self) -> Mapping[str, Destination]:
        """By name. Raises DESTINATION_INVALID."""
        if self._known is None:
            self._known = read_destinations(self._places) if self._places else {}
        return self._known

    def destination(self, name: str) -> Destination:
        """Raises DESTINATION_UNKNOWN and DESTINATION_INVALID."""
        found = self.destinations.get(name)
        if found is None:
            raise NotFound("DESTINATION_UNKNOWN", f"no destination is called {name[:100]!r}")
        return found

    def deliveries(self) -> dict[str, Delivery]:
        return {one.destination: one for one in self._store.deliveries.deliveries()}

    def dead_letters(self, after: str = "", limit: int = 100) -> list[Parcel]:
        """In order of id."""
        return self._store.deliveries.dead_letters(after=after, limit=limit)

    # ---- deliver

    def run(self, name: str, *, patient: bool = False, stop: Event | None = None) -> Activated:
        """Deliver all that there is for the destination, until `stop` is set. Who is not `patient` waits for no next
        attempt of what failed. Raises DESTINATION_UNKNOWN, DESTINATION_INVALID and SEGMENT_UNKNOWN."""
        destination = self.destination(name)
        if destination.file:
            return Activated(name, self.write(destination))
        key = destination.secret()
        outcome = Activated(name)
        while (parcel := self._next(destination)) is not None:
            wait = (parcel.due - self.clock()) / SECOND
            if (wait > 0 and not patient) or (stop and stop.is_set()):
                return replace(outcome, trouble=parcel.trouble, due=parcel.due)
            time.sleep(max(0.0, wait))
            count, sent = self._attempt(destination, parcel, key)
            if not sent.trouble:
                self._arrived(parcel)
                outcome = replace(outcome, delivered=outcome.delivered + count, parcels=outcome.parcels + bool(count))
                continue
            if self._failed(destination, parcel, sent):
                continue
            # The receiver is away, and would not have the next one either.
            return replace(outcome, set_aside=1, trouble=sent.trouble)
        return outcome

    def write(self, destination: Destination) -> int:
        """The members to its file; how many they are. Raises SEGMENT_UNKNOWN and OUTPUT_FAILED, leaving the file as it
        was."""
        file, roster = destination.file, self._roster(destination.segment, destination)
        assert file
        while True:
            roster.known()
            before = self._store.transfer.standing().change
            content, count = roster.content(file, destination.audience)
            with self._store.transaction():  # nobody is erased meanwhile
                if self._store.persons.changes(after=before, limit=1, kinds=[ChangeKind.ERASED]):
                    continue
                try:
                    replace_secret(file, content)
                except OSError as error:
                    raise InputError("OUTPUT_FAILED", f"{file}: {error.strerror}") from error
            return count

    def send_again(self, ids: Sequence[str] | None = None) -> Activated:
        """Try dead letters once more, these or all; where a destination fails, no others of it. Raises
        DEAD_LETTER_UNKNOWN, before any is sent."""
        outcome, away = Activated(""), set[str]()
        for parcel in self._letters(ids):
            if parcel.destination in away:
                continue
            destination = self.destination(parcel.destination)
            count, sent = self._attempt(destination, parcel, destination.secret())
            if sent.trouble:
                away.add(parcel.destination)
                self._store.deliveries.set_aside([_tried(parcel, sent.trouble, 0)])
                outcome = replace(outcome, set_aside=outcome.set_aside + 1, trouble=sent.trouble)
            else:
                self._store.deliveries.discard([parcel.id])
                outcome = replace(outcome, delivered=outcome.delivered + count, parcels=outcome.parcels + bool(count))
        return outcome

    def _letters(self, ids: Sequence[str] | None) -> Iterator[Parcel]:
        if ids is not None:
            found = self._store.deliveries.find_dead_letters(ids)
            for id, parcel in zip(ids, found, strict=True):
                if parcel is None:
                    raise NotFound("DEAD_LETTER_UNKNOWN", f"no dead letter has the id {id[:100]!r}")
            yield from (parcel for parcel in found if parcel)
            return
        after = ""
        while page := self.dead_letters(after):
            yield from page
            after = page[-1].id

    # ---- the way of one parcel

    def _next(self, destination: Destination) -> Parcel | None:
        """The parcel on its way, or a new one; None where there is nothing to tell."""
        with self._store.transaction():
            known = self.deliveries().get(destination.name)
            if known and known.pending:
                return known.pending
            if known is None or known.segment != destination.segment:
                self._roster(destination.segment, destination).known()
                start = Place(self._store.transfer.standing().change, "")
                parcels, latest = (known.parcels, known.latest) if known else (0, None)
                known = Delivery(destination.name, destination.segment, start, None, parcels, latest)
            reached = known.reached
            if reached.member is not None:
                page = self._store.segments.members(destination.segment, after=reached.member, limit=PARCEL)
                end = Place(reached.change, page[-1] if page else None)
                if not page:
                    known, reached = replace(known, reached=end), end
                    self._store.deliveries.keep(known)
            if reached.member is None:
                last = self._last_of_next(destination.segment, reached.change)
                if last is None:
                    newest = self._store.transfer.standing().change
                    if newest - reached.change > _SCANNED:  # they need not be looked through again
                        self._store.deliveries.keep(replace(known, reached=Place(newest, None)))
                    return None
                end = Place(last, None)
            now = self.clock()
            parcel = Parcel(self._new_id(), destination.name, destination.segment, reached, end, now, due=now)
            self._store.deliveries.keep(replace(known, pending=parcel))
            return parcel

    def _last_of_next(self, segment: str, after: int) -> int | None:
        """The number of the last of the next changes to tell; None: there are none."""
        last = None
        for count, change in enumerate(self._changes(segment, after), 1):
            last = change.number
            if count == PARCEL:
                break
        return last

    def _changes(self, segment: str, after: int, upto: int | None = None) -> Iterator[Change]:
        """Who entered and left, and who was erased: of which segment that was is not known any more."""
        while page := self._store.persons.changes(after=after, limit=_SCANNED, kinds=_TOLD):
            for change in page:
                if upto is not None and change.number > upto:
                    return
                if change.segment == segment or change.kind is ChangeKind.ERASED:
                    yield change
            after = page[-1].number

    def _members(self, segment: str, after: str, upto: str) -> Iterator[str]:
        while page := self._store.segments.members(segment, after=after, limit=PARCEL):
            for id in page:
                if id > upto:
                    return
                yield id
            after = page[-1]

    def _attempt(self, destination: Destination, parcel: Parcel, key: bytes) -> tuple[int, Sent]:
        """How many members or changes are in it. A parcel with nothing left in it arrives without being sent."""
        kind, rows = self._content(destination, parcel)
        if not rows:
            return 0, Sent()
        data = {"segment": parcel.segment, "cursor": str(parcel.end.change), kind: rows}
        body = orjson.dumps({"type": f"segment.{kind}", "timestamp": format_time(parcel.made), "data": data})
        seconds = self.clock() // SECOND
        return len(rows), send(
            destination.url,
            key,
            parcel.id,
            body,
            seconds=seconds,
            timeout=destination.timeout,
            private=self._private,
        )

    def _content(self, destination: Destination, parcel: Parcel) -> tuple[str, list[dict[str, Any]]]:
        roster = self._roster(parcel.segment, destination)
        start, end = parcel.start, parcel.end
        if start.member is not None and end.member is not None:
            return "members", roster.of(list(self._members(parcel.segment, start.member, end.member)))
        changes = list(self._changes(parcel.segment, start.change, end.change))
        entered = [change.person_id for change in changes if change.kind is ChangeKind.ENTERED]
        told = {row["personId"]: row for row in roster.of(entered)}
        rows = []
        for change in changes:
            about = told.get(change.person_id) if change.kind is ChangeKind.ENTERED else {"personId": change.person_id}
            if about is None:
                continue  # who may not be used
            when = format_time(change.time)
            rows.append({"cursor": str(change.number), "time": when, "kind": change.kind.value, **about})
        return "changes", rows

    def _arrived(self, parcel: Parcel) -> None:
        def after(known: Delivery) -> Delivery:
            parcels, now = known.parcels + 1, self.clock()
            return replace(known, reached=parcel.end, pending=None, parcels=parcels, latest=now)

        self._move(parcel, after)

    def _failed(self, destination: Destination, parcel: Parcel, sent: Sent) -> bool:
        """Whether it is to be tried again, when it is due; else it is set aside."""
        dead = parcel.attempts + 1 >= destination.attempts
        wait = wait_for_next(parcel.attempts + 1, destination.first_wait, sent)
        tried = _tried(parcel, sent.trouble, 0 if dead else self.clock() + round(wait * SECOND))
        with self._store.transaction():
            if not dead:
                self._move(parcel, lambda known: replace(known, pending=tried))
            elif self._move(parcel, lambda known: replace(known, reached=parcel.end, pending=None)):
                self._store.deliveries.set_aside([tried])
        return not dead

    def _move(self, parcel: Parcel, after: Callable[[Delivery], Delivery]) -> bool:
        """False where another process has moved on meanwhile."""
        with self._store.transaction():
            known = self.deliveries().get(parcel.destination)
            if known is None or known.pending is None or known.pending.id != parcel.id:
                return False
            self._store.deliveries.keep(after(known))
            return True

    def _roster(self, segment: str, to: Destination) -> Roster:
        """Raises PURPOSE_UNKNOWN, and DESTINATION_INVALID for a webhook that nobody would tell of who takes a yes back:
        members leave a segment that asks for consent, and no other."""
        if to.purpose and to.url:
            trees = {one.name: one.condition for one in self._store.segments.segments() if one}
            if not any(to.purpose in consents_in(trees[name]) for name in built_on(segment, trees.get)):
                raise SettingError(
                    "DESTINATION_INVALID",
                    f"destination {to.name}: the segment {segment} does not ask for consent to {to.purpose}",
                    help='Build it on {"consent": {"purpose": ..., "is": ...}}, so that who says no leaves it.',
                )
        allowed = self._allowed(to.purpose) if to.purpose else None
        return Roster(self._store, self._people, segment, to.identifiers, to.traits, allowed=allowed)


def _tried(parcel: Parcel, trouble: str, due: int) -> Parcel:
    return replace(parcel, attempts=parcel.attempts + 1, trouble=trouble, due=due)
