"""What a person says of two identifiers: kept as evidence, like all else, and heeded at once."""

from __future__ import annotations

from collections.abc import Callable

from identity_graph.errors import InputError
from identity_graph.ingest import Ingest
from identity_graph.model import Event, Explanation, Identifier
from identity_graph.people import People
from identity_graph.resolver import Resolver
from identity_graph.store.protocols import Store

SOURCE = "manual"
"""The source of statements, for a policy to trust."""


class Stating:
    def __init__(
        self,
        store: Store,
        ingest: Ingest,
        resolver: Resolver,
        people: People,
        clock: Callable[[], int],
        new_id: Callable[[], str],
    ) -> None:
        self._store = store
        self._ingest = ingest
        self._resolver = resolver
        self._people = people
        self._clock = clock
        self._new_id = new_id

    def link(self, a: Identifier, b: Identifier, reason: str, user: str = "") -> Explanation:
        """They are one person, whatever the limits; until the opposite is said. Publishes what follows.

        The statement is an event of the source `manual`, with the reason and the user among its properties; erasing one
        of the two erases it. Raises STATEMENT_INVALID, POLICY_DIFFERS and StoreError; nothing is then kept.
        """
        return self._state("Linked", a, b, reason, user)

    def unlink(self, a: Identifier, b: Identifier, reason: str, user: str = "") -> Explanation:
        """They are not one person, whatever else links them; until the opposite is said. As `link`."""
        return self._state("Unlinked", a, b, reason, user)

    def _state(self, name: str, a: Identifier, b: Identifier, reason: str, user: str) -> Explanation:
        if a == b:
            raise InputError("STATEMENT_INVALID", f"{a.key} is one identifier", help="Name two.")
        if not reason.strip() or len(reason) > 1_000:
            raise InputError("STATEMENT_INVALID", "the reason is empty, or longer than 1,000 characters")
        said = {"reason": reason, "user": user} if user else {"reason": reason}
        same, apart = (((a, b),), ()) if name == "Linked" else ((), ((a, b),))
        event = Event(self._new_id(), self._clock(), SOURCE, name, (), {}, said, same, 0, apart)
        with self._store.transaction():
            self._resolver.catch_up()  # what arrived before is a cause of its own
            self._ingest.events([event])
            self._resolver.catch_up(cause="statement")
        self._resolver.settle()
        return self._people.explain(a, b)
