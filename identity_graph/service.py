"""Everything over one store and one policy: what the command line and the API call."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from identity_graph.activation import Activation
from identity_graph.census import MEMORY, Census
from identity_graph.computed import Computed
from identity_graph.copying import check_whole
from identity_graph.disclosure import Disclosures
from identity_graph.engines import choose_engine
from identity_graph.erased_register import ErasedRegister, register_place
from identity_graph.events_digest import counted_anew, events_digest
from identity_graph.forget import Forget
from identity_graph.forget_batch import ForgetBatch
from identity_graph.ingest import Ingest
from identity_graph.listing import Listing
from identity_graph.people import People
from identity_graph.policy import Policy
from identity_graph.resolver import Resolver
from identity_graph.restricting import Restrictions
from identity_graph.retention import Retention
from identity_graph.segments import Segments
from identity_graph.signing import Signer
from identity_graph.state_digest import digest_of
from identity_graph.stating import Stating
from identity_graph.store import open_store
from identity_graph.store.protocols import Store
from identity_graph.subject import Subjects
from identity_graph.supposing import Supposing
from identity_graph.times import now
from identity_graph.uuid7 import uuid7
from identity_graph.view import View
from identity_graph.visible import Visible

if TYPE_CHECKING:
    from identity_graph.opendsr import Agreement, Desk


class IdentityGraph:
    """The services over one store. `people` and `visible` are without restricted persons.

    >>> with IdentityGraph.open("sqlite:///:memory:") as graph:
    ...     graph.people.count()
    0
    """

    def __init__(
        self,
        store: Store,
        policy: Policy | None = None,
        *,
        engine: str = "auto",
        signing_key: Path | None = None,
        destinations: Path | None = None,
        private_destinations: bool = False,
        memory: int = MEMORY,
        erased: Path | None = None,
        clock: Callable[[], int] = now,
        new_id: Callable[[], str] = uuid7,
    ) -> None:
        self.store = store
        self.engine = choose_engine(store, engine)
        self.policy = policy or Policy.default()
        self.policy.check()
        self.private_destinations = private_destinations
        self.clock = clock
        self.new_id = new_id
        self.visible = Visible(store, self.policy)
        self.people = People(self.visible, self.policy)
        everybody = People(store, self.policy)
        self.census = Census(store, self.policy, everybody, memory)
        self.segments = Segments(store, everybody, self.census, clock)
        self.listing = Listing(self.visible, self.segments)
        self.computed = Computed(store, self.people, self.segments, clock)
        self.resolver = Resolver(store, self.policy, self.engine, self.segments, clock, new_id)
        self.ingest = Ingest(store, clock, new_id, self.policy.digest)
        self.stating = Stating(store, self.policy, self.ingest, self.resolver, self.people, clock, new_id)
        subjects = Subjects(store, everybody)
        self.disclosures = Disclosures(store, self.policy, everybody, subjects, self.resolver, clock, new_id)
        self.signer = Signer(signing_key)
        self.activation = Activation(
            store, self.people, self.allowed, clock, new_id, destinations, private=private_destinations
        )
        self.register = ErasedRegister(erased or register_place(store))
        self.restrictions = Restrictions(store, everybody, self.segments, self.register, clock)
        self.forget = Forget(
            store,
            self.policy,
            everybody,
            subjects,
            self.resolver,
            self.restrictions,
            self.signer,
            self.register,
            clock,
            new_id,
        )
        self.retention = Retention(store, self.policy, self.resolver, self.forget.scrub, clock)
        self.forget_batch = ForgetBatch(store, self.resolver, self.forget, clock, new_id)

    @classmethod
    def open(
        cls,
        url: str,
        policy: Policy | None = None,
        *,
        engine: str = "auto",
        signing_key: Path | None = None,
        destinations: Path | None = None,
        private_destinations: bool = False,
        memory: int = MEMORY,
        erased: Path | None = None,
        key_variable: str | None = None,
        key_place: Path | None = None,
        half: bool = False,
        clock: Callable[[], int] = now,
        new_id: Callable[[], str] = uuid7,
    ) -> Self:
        """Open or create a store; one that is `half` a copy only for whoever makes it. Raises what `open_store` and
        `choose_engine` raise, and STORE_HALF."""
        store = open_store(url, key_variable=key_variable, key_place=key_place)
        try:
            if not half:
                check_whole(store)
            return cls(
                store,
                policy,
                engine=engine,
                signing_key=signing_key,
                destinations=destinations,
                private_destinations=private_destinations,
                memory=memory,
                erased=erased,
                clock=clock,
                new_id=new_id,
            )
        except BaseException:
            store.close()
            raise

    def suppose(self, view: View, *, restricted: bool = False) -> People:
        """Persons as they would be, for the questions of one request; nothing is published. See `supposing`.
        `restricted`: with those that are."""
        return Supposing(self.store if restricted else self.visible.at_once(), self.policy, view, self.clock).people

    def desk(self, agreement: Agreement) -> Desk:
        """For requests of controllers."""
        from identity_graph.opendsr import Desk

        return Desk(
            self.store,
            agreement,
            self.resolver,
            self.restrictions,
            self.forget,
            self.disclosures,
            self.clock,
            self.new_id,
        )

    def allowed(self, purpose: str) -> Callable[[], People]:
        """People among whom only those are who may be used for it. Raises PURPOSE_UNKNOWN."""
        view = View(purpose=purpose)
        self.policy.purpose(purpose)
        return lambda: self.suppose(view)

    def digest(self) -> str:
        """SHA-256 of the canonical state, hexadecimal: evidence, suppressed links, memberships without ids."""
        return digest_of(self.store)

    def events_digest(self) -> str | None:
        """Which events there are, counted anew, as receipts tell it of everybody else; None where nobody was erased."""
        if self.store.transfer.key_check() is None:
            return None
        return events_digest(self.store, counted_anew(self.store))

    def close(self) -> None:
        self.census.close()
        self.store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
