"""What a person says of two identifiers, or of consent: kept as evidence, like all else, and heeded at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from identity_graph.consent import PROPERTY
from identity_graph.errors import InputError
from identity_graph.ingest import Ingest
from identity_graph.model import ConsentStatus, Event, Explanation, Identifier, Person
from identity_graph.people import People
from identity_graph.policy import Policy
from identity_graph.resolver import Resolver
from identity_graph.store.protocols import Store
from identity_graph.times import format_time

SOURCE = "manual"
"""The source of statements, for a policy to trust."""


class Stating:
    def __init__(
        self,
        store: Store,
        policy: Policy,
        ingest: Ingest,
        resolver: Resolver,
        people: People,
        clock: Callable[[], int],
        new_id: Callable[[], str],
    ) -> None:
        self._store = store
        self._policy = policy
        self._ingest = ingest
        self._resolver = resolver
        self._people = people
        self._clock = clock
        self._new_id = new_id

    def link(
        self, a: Identifier, b: Identifier, reason: str, user: str = "", formerly: Sequence[Identifier] = ()
    ) -> Explanation:
        """They are one person, whatever the limits; until the opposite is said. Publishes what follows.

        The statement is an event of the source `manual`, with the reason and the user among its properties; erasing one
        of the two erases it. `formerly` as in `Event`. Raises STATEMENT_INVALID, POLICY_DIFFERS and StoreError; nothing
        is then kept.
        """
        return self._state("Linked", a, b, reason, user, formerly)

    def unlink(
        self, a: Identifier, b: Identifier, reason: str, user: str = "", formerly: Sequence[Identifier] = ()
    ) -> Explanation:
        """They are not one person, whatever else links them; until the opposite is said. As `link`."""
        return self._state("Unlinked", a, b, reason, user, formerly)

    def consent(
        self,
        of: Identifier,
        purpose: str,
        status: ConsentStatus,
        expires: int | None = None,
        user: str = "",
        formerly: Sequence[Identifier] = (),
    ) -> Person | None:
        """Whoever it is of said yes or no to a purpose of the policy; the person, None where it is nobody's.

        As `link`: an event of the source `manual`, erased with the person. Raises PURPOSE_UNKNOWN, CONSENT_INVALID,
        POLICY_DIFFERS and StoreError; nothing is then kept.
        """
        self._policy.purpose(purpose)
        now = self._clock()
        if expires is not None and expires <= now:
            raise InputError("CONSENT_INVALID", f"it ends at {format_time(expires)}, which is not after it is said")
        said: dict[str, Any] = {"status": status.value}
        if expires is not None:
            said["expires"] = format_time(expires)
        words = {PROPERTY: {purpose: said}, **({"user": user} if user else {})}
        self._heed(Event(self._new_id(), now, SOURCE, "Consent Stated", (of,), {}, words, formerly=formerly))
        (person,) = self._people.find_by_identifier([of])
        return person

    def _state(
        self, name: str, a: Identifier, b: Identifier, reason: str, user: str, formerly: Sequence[Identifier]
    ) -> Explanation:
        if a == b:
            raise InputError("STATEMENT_INVALID", f"{a.key} is one identifier", help="Name two.")
        if not reason.strip() or len(reason) > 1_000:
            raise InputError("STATEMENT_INVALID", "the reason is empty, or longer than 1,000 characters")
        said = {"reason": reason, "user": user} if user else {"reason": reason}
        same, apart = (((a, b),), ()) if name == "Linked" else ((), ((a, b),))
        self._heed(Event(self._new_id(), self._clock(), SOURCE, name, (), {}, said, same, 0, apart, formerly))
        return self._people.explain(a, b)

    def _heed(self, event: Event) -> None:
        with self._store.transaction():
            self._resolver.catch_up()  # what arrived before is a cause of its own
            self._ingest.events([event])
            self._resolver.catch_up(cause="statement")
        self._resolver.settle()
