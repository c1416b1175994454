"""Any sequence of loads, statements, erasures, other policies and passing time: what the resolver published is what a
resolution of all that is left gives, and what the plain one gives.

A failure prints its steps as a program; with `HYPOTHESIS_PROFILE=nightly` also a line to put over the class. The steps
of a night also come in `slices`, by seeds.
"""

from __future__ import annotations

from contextlib import closing
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

from identity_graph import IdentityGraph
from identity_graph.errors import PolicyError
from identity_graph.model import Event, Identifier
from identity_graph.normalise import normalise
from identity_graph.policy import Policy
from identity_graph.stating import SOURCE
from identity_graph.times import DAY
from tests.conftest import Clock, law
from tests.story.ledger import Ledger, assert_named
from tests.story.places import place
from tests.story.published import Outcome, Published
from tests.story.regimes import REGIMES
from tests.story.survived import Survived
from tests.story.worlds import KEYS, MINUTE, START, key, new_graph, tell
from tests.unit.naive import persons as naive

EXAMPLES, STEPS = 490, 50
ALL_STEPS = 20_000  # at least: many sequences end before their fiftieth

SHARED = ["device_id:a", "cookie:a", "email:a@x.org"] * 4  # what hubs come of
UNAGEING = [name for name, policy in REGIMES.items() if not policy.decays]  # or else all is resolved each time

names = st.sampled_from(UNAGEING) | st.sampled_from(list(REGIMES))
picks = st.integers(0, len(KEYS) - 1)
several = st.lists(st.integers(0, len(KEYS) + len(SHARED) - 1), min_size=1, max_size=3, unique=True)
many = st.lists(picks, min_size=2, max_size=7, unique=True)
seen = st.tuples(
    st.one_of(several, several, several, many),
    st.sampled_from([0, 1, 2, 60, -2, *(-1440 * days for days in (3, 10, 20, 40))]),  # minutes from now
    st.sampled_from("xyz"),
    st.sampled_from([None] * 8 + [True, False]),  # what it states of its first two
)

RIGHT: set[int] = set()
"""By hash, what was published of events by rules and found right: half of the sequences begin as others did."""

Batch = list[tuple[list[int], int, str, bool | None]]
batches = st.lists(seen, min_size=1, max_size=4)


class Machine(RuleBasedStateMachine):
    taken = 0  # steps, of all sequences

    def __init__(self) -> None:
        super().__init__()
        type(self).taken -= 1  # it is looked at before the first step, too
        self.clock = Clock()
        self.clock.now = START
        self.survived, self.ledger = Survived(), Ledger()
        self.in_force: Policy | None = None
        self.pending = False
        self.stated: tuple[int, ...] = ()  # the last two of whom something was said
        self.changes = 0  # the last that was followed
        self.ids: list[str] = []
        self.again: dict[str, int] = {}
        self.first = new_graph(clock=self.clock)
        self.shown = Published.read(self.first.store)

    def teardown(self) -> None:
        self.first.close()

    def new_id(self) -> str:
        self.ids.append(f"p{len(self.ids):06d}")
        return self.ids[-1]

    def identifier(self, pick: int) -> Identifier:
        """By its place; who was erased comes back under another name."""
        name = (KEYS + SHARED)[pick]
        times, (namespace, value) = self.again.get(name, 0), key(name)
        other = value.replace(".2.", f".{2 + times}.") if namespace == "ip" else "z" * times + value
        return normalise(namespace, other)

    @property
    def differs(self) -> bool:
        return self.in_force is not None and self.in_force != self.policy

    # ---- steps

    @initialize(name=names)
    def begin(self, name: str) -> None:
        self.another_policy(name)

    @rule(batch=batches)
    def load(self, batch: Batch) -> None:
        self.take_in([self.event(*one) for one in batch])

    @rule(batch=batches)
    def load_and_resolve(self, batch: Batch) -> None:
        self.load(batch)
        self.resolve(full=False, anew=False)

    def event(self, chosen: list[int], minute: int, source: str, same: bool | None) -> Event:
        keys = list(dict.fromkeys(self.identifier(pick) for pick in chosen))
        pairs = [(keys[0], keys[1])] if len(keys) > 1 and same is not None else []
        stated, apart = (pairs, []) if same else ([], pairs)
        seen = keys[1:] if stated else keys  # who is stated of is observed too
        time = self.clock.now + minute * MINUTE
        return Event(
            f"e{len(self.survived.told)}-{self.new_id()}", time, source, "Seen", seen, {}, {}, stated, 0, apart
        )

    def take_in(self, events: list[Event]) -> None:
        run = self.graph.ingest.events(events)
        counts = self.survived.tell(events)
        assert run.quarantined == 0
        assert (run.accepted, run.duplicate, run.suppressed) == tuple(
            counts[name] for name in ("accepted", "duplicate", "suppressed")
        )
        self.pending |= counts["accepted"] > 0

    @precondition(lambda self: self.survived.told)
    @rule(pick=st.integers(0, 99))
    def load_again(self, pick: int) -> None:
        self.take_in([self.survived.told[pick % len(self.survived.told)]])

    @precondition(lambda self: self.survived.buried)
    @rule(pick=picks, other=picks)
    def load_the_erased(self, pick: int, other: int) -> None:
        erased = sorted(self.survived.buried)[pick % len(self.survived.buried)]
        keys = list(dict.fromkeys([erased, self.identifier(other)]))
        self.take_in([Event(self.new_id(), self.clock.now, "x", "Seen", keys, {}, {})])

    @rule(full=st.sampled_from([False] * 3 + [True]), anew=st.sampled_from([False] * 5 + [True]))
    def resolve(self, full: bool, anew: bool) -> None:
        idle = not self.pending and self.in_force is not None and not self.differs
        before = self.shown
        run = self.graph.resolver.resolve(full)
        self.in_force = self.policy
        self.check()
        assert not idle or (run.message == "nothing changed" and self.shown == before)
        if anew and place.server is None:
            self.begin_anew()

    @rule(pick=picks, step=st.integers(1, len(KEYS) - 1), same=st.booleans(), later=st.booleans())
    def state(self, pick: int, step: int, same: bool, later: bool) -> None:
        self.stated = pick, (pick + step) % len(KEYS)
        self.state_again(same, later)

    @precondition(lambda self: self.stated)
    @rule(same=st.booleans(), later=st.booleans())
    def state_again(self, same: bool, later: bool) -> None:
        one, other = map(self.identifier, self.stated)
        self.clock.tick(later)
        say, id = (self.graph.stating.link if same else self.graph.stating.unlink), len(self.ids)
        if self.differs:
            with pytest.raises(PolicyError):
                say(one, other, "so it is")
            return
        found = say(one, other, "so it is")
        name, pairs = ("Linked" if same else "Unlinked"), [(one, other)]
        because, (stated, apart) = {"reason": "so it is"}, (pairs, []) if same else ([], pairs)
        told = Event(self.ids[id], self.clock.now, SOURCE, name, (), {}, because, stated, 0, apart)
        self.survived.tell([told])
        if self.in_force is None:
            self.pending = True
        else:
            self.check(at_once=not self.pending)  # else what was pending was published before
        assert found.same_person == self.together(one, other)

    @precondition(lambda self: self.shown.owner)
    @rule(pick=picks, asked=st.booleans())
    def erase(self, pick: int, asked: bool) -> None:
        everybody = sorted(self.ledger.live)
        victim = everybody[pick % len(everybody)]
        if self.differs:
            with pytest.raises(PolicyError):
                self.graph.forget.preview(victim)
            return
        preview = self.graph.forget.preview(victim)
        self.check()  # it took in what was pending
        if preview is None:
            assert victim in self.ledger.gone
            return
        assert preview.person_id == self.ledger.survivor.get(victim, victim)
        gone = self.survived.farewell(preview.person_id, self.shown.owner, self.policy)
        assert (set(preview.exclusive), set(preview.shared)) == (gone.exclusive, gone.shared)
        if asked and gone.shared:
            named = self.graph.forget.preview(victim, min(gone.shared))
            assert named and named.kept == min(gone.shared) and named.token != preview.token
            preview = named
        receipt = self.graph.forget.erase(preview.token).document
        assert (receipt["events"], receipt["verified"]) == (len(gone.events), True)
        self.survived.erase(gone)
        self.check()
        assert preview.person_id in self.ledger.gone
        for pick, name in enumerate(KEYS):
            if self.identifier(pick) in gone.exclusive:
                self.again[name] = self.again.get(name, 0) + 1

    @precondition(lambda self: self.publications > 2)  # another policy resolves everything
    @rule(name=names)
    def another_policy(self, name: str) -> None:
        self.regime, self.policy, self.publications = name, REGIMES[name], 0
        self.graph = IdentityGraph(self.first.store, self.policy, clock=self.clock, new_id=self.new_id)

    @rule(days=st.sampled_from([1, 7, 10, 20]))
    def time_passes(self, days: int) -> None:
        self.clock.now += days * DAY

    @rule(pick=picks, other=picks)
    def look(self, pick: int, other: int) -> None:
        people, one, another = self.graph.people, self.identifier(pick), self.identifier(other)
        digest = self.graph.digest()
        (found,) = people.find_by_identifier([one])
        assert (found and found.id) == self.shown.owner.get(one)
        if found:
            members = {row.identifier for row in people.members([found.id])[0]}
            assert members == {own for own, id in self.shown.owner.items() if id == found.id}
            if not self.pending and not self.differs:  # links are weighed as of now
                linked = {end for link in people.links([found.id])[0] for end in (link.a, link.b)}
                assert len(members) == 1 or members <= linked
        known = one in self.survived.everyone()
        assert people.explain(one, another).same_person == (known if one == another else self.together(one, another))
        assert self.graph.digest() == digest and not self.graph.store.persons.changes(after=self.changes, limit=1)

    def check_invariants(self, *given: Any) -> None:
        type(self).taken += 1
        super().check_invariants(*given)

    # ---- laws

    def together(self, one: Identifier, other: Identifier) -> bool:
        owner = self.shown.owner
        return one in owner and owner[one] == owner.get(other)

    def begin_anew(self) -> None:
        """All that is left into a fresh store, the last that came first."""
        with closing(new_graph(self.policy, clock=self.clock)) as other:
            tell(other, [*self.survived.events.values()][::-1])
            assert Published.read(other.store).outcome == self.shown.outcome
            assert other.digest() == self.graph.digest()

    def check(self, at_once: bool = True) -> None:
        """After each publication, or after several of them."""
        store, events = self.graph.store, list(self.survived.events.values())
        shown, everyone = Published.read(store), self.survived.everyone()
        assert shown.everyone == everyone
        if (told := hash((self.regime, repr(events), shown.outcome))) not in RIGHT:
            assert shown.outcome == Outcome.at_once(events, self.policy)
            persons = shown.outcome.persons
            assert persons == naive(events, self.policy, shown=persons, hard=shown.outcome.hard)
            RIGHT.add(told)
        changes = store.persons.changes(after=self.changes, limit=1_000)
        self.changes = changes[-1].number if changes else self.changes
        if at_once:
            assert_named({one: id for one, id in self.shown.owner.items() if one in everyone}, shown.owner, changes)
        self.ledger.follow(changes)
        assert self.ledger.live == set(shown.owner.values()) == {one.id for one in store.persons.page(limit=1_000)}
        self.ledger.assert_kept(store.persons)
        self.shown, self.pending = shown, False
        self.publications += 1


@pytest.mark.usefixtures("each_store")
def test_whatever_happens_the_answer_is_that_of_a_full_resolution() -> None:
    class Counted(Machine):
        """Of which steps are counted from 0."""

    examples, steps = (EXAMPLES, STEPS) if place.server is None else (3, 12)
    chosen = settings(law(examples), stateful_step_count=steps, suppress_health_check=list(HealthCheck))
    run_state_machine_as_test(Counted, settings=chosen)
    assert Counted.taken >= (ALL_STEPS if place.server is None else 1)
