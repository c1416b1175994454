"""Persons as they would be: resolved anew around those that are asked for, and published nowhere."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import replace
from itertools import count

import numpy as np

from identity_graph.consent import Consents, allows, standing, stated
from identity_graph.journey import attribute
from identity_graph.linking import Linking, suppressed_rows
from identity_graph.model import Consent, Identifier
from identity_graph.neighbourhood import Neighbourhood, around
from identity_graph.people import People
from identity_graph.policy import Policy, Purpose
from identity_graph.reasons import purpose_reason, unsure_reason
from identity_graph.remembering import Supposed, sighting
from identity_graph.resolve import resolve
from identity_graph.resolve.persons import assign
from identity_graph.resolve.prune import CODES, HUB, JOINS, prune_values
from identity_graph.resolve.rules import Rules
from identity_graph.segment import built_on, compares, parse_condition
from identity_graph.similar_rows import to_rows
from identity_graph.store.protocols import (
    EventRow,
    IdentifierRow,
    PersonRow,
    Sighting,
    SimilarRow,
    Store,
    Subgraph,
    SuppressedRow,
)
from identity_graph.tables import Int64, ObservationTable
from identity_graph.view import View


class Supposing:
    """What a view lets one see of the persons that are looked at; ask by `people`. Raises PURPOSE_UNKNOWN.

    Read is what links reach, not everything; only similarity, and how old evidence is without some of the sources, need
    all observations, as they depend on everything. A person keeps its id by overlap with what is published; whoever is
    split off from `ID` is called `ID~2`, `ID~3`, ...
    Evidence ages to the time of the view.
    """

    def __init__(self, store: Store, policy: Policy, view: View, clock: Callable[[], int]) -> None:
        self._store = store
        self._policy = view.policy or policy
        purpose = Purpose() if view.purpose is None else self._policy.purpose(view.purpose)
        self._purpose = view.purpose
        self._view = replace(view, purpose=None, without_sources=view.without_sources | purpose.without_sources)
        self._stitches = purpose.stitch
        self._resolves = purpose.stitch or not self._view.as_published
        if purpose.stitch:  # how alike identifiers are depends on evidence of everybody, those who said no among them
            self._policy = replace(self._policy, similarity=())
        self._said: dict[int, Consents] = {}  # by identifier
        self._now = clock if view.as_of is None else lambda: view.as_of or 0
        self._events: dict[int, list[EventRow]] = {}
        self._hubs: dict[int, bool] = {}
        self._heard: int | None = None  # the newest time of the sources that are not left out
        self._keys: set[Identifier] = set()
        self._ids: set[str] = set()
        self._supposed = Supposed(store, self._look, self._newest, self._sightings)

        def everybody() -> People:
            less = replace(view, min_confidence=0.0)
            return People(store, policy) if less == View() else Supposing(store, policy, less, clock).people

        self.people: People = People(
            self._supposed,
            self._policy,
            ahead=self._supposed,
            hiding=(everybody, unsure_reason(view.min_confidence)) if view.min_confidence else None,
            withheld=None if view.purpose is None else purpose_reason(view.purpose),
        )

    def _newest(self) -> int:
        if not self._view.without_sources:
            newest = self._store.evidence.newest()
        elif self._heard is not None:
            newest = self._heard
        else:
            sources = list(self._store.evidence.sources())
            ever = replace(self._view, as_of=None).observations(self._store.evidence.observation_table(), sources)
            newest = self._heard = int(ever.time.max(initial=0))
        return newest if self._view.as_of is None else min(newest, self._view.as_of)

    def _look(self, identifiers: Sequence[Identifier] = (), ids: Sequence[str] = ()) -> None:
        self._keys |= set(identifiers)
        self._ids |= set(ids)
        keys, names = sorted(self._keys), sorted(self._ids)
        if not self._resolves:
            found = self._store.persons.subgraph(keys, names, events=True)
        else:
            found = self._store.moment(lambda: self._resolved(keys, names))
        self._supposed.know(found)
        if self._purpose is not None:
            self._supposed.know(found := self._allowed(found, self._purpose))
        if self._view.min_confidence:
            self._supposed.know(found := self._sure(found))
        self._supposed.know(self._with_segments(found))

    def _sightings(self, numbers: Sequence[int]) -> list[Sighting | None]:
        """Of identifiers beside those that were asked for, who may be seen by everybody, as columns."""
        known = self._supposed.known.events or {}
        missing = np.array(sorted(set(numbers) - known.keys()), dtype=np.int64)
        seen, sources = self._observed(missing)
        found: dict[int, Sighting | None] = {number: sighting(rows) for number, rows in known.items()}
        for number in missing.tolist():
            mine = seen.identifier == number
            times, names = seen.time[mine], sorted({sources[one] for one in np.unique(seen.source[mine]).tolist()})
            if len(times):
                found[number] = Sighting(int(times.min()), int(times.max()), len(times), tuple(names))
        return [found.get(number) for number in numbers]

    def _observed(self, numbers: Int64 | None = None) -> tuple[ObservationTable, list[str]]:
        """What the view lets through of the observations of all, or around some; and the names of their sources."""
        sources = list(self._store.evidence.sources())
        return self._view.observations(self._store.evidence.observation_table(numbers), sources), sources

    # ---- what can be reached

    def _resolved(self, keys: Sequence[Identifier], ids: Sequence[str]) -> Subgraph:
        store, bases = self._store, [id.partition("~")[0] for id in ids]
        self._events.clear()
        self._similar = self._all_similar()
        asked = store.evidence.identifiers(keys)
        named = store.persons.persons(bases)
        persons = sorted({row.survivor or row.number for row in named if row})
        start = {row.number for row in asked if row}
        start |= {row.number for rows in store.persons.members(persons) for row in rows}
        here, inside = self._closed(start)
        beside = {number for one in inside for row in self._events[one] for number in row.identifiers}
        here, inside = self._closed(start | inside | beside)
        return self._subgraph(here, dict(zip(keys, asked, strict=True)), dict(zip(ids, named, strict=True)))

    def _closed(self, start: Iterable[int]) -> tuple[Neighbourhood, set[int]]:
        """Everybody whom links, joining or suppressed, connect with these, and who is published as one with them."""
        inside: set[int] = set()
        grown = set(start)
        while True:
            inside |= self._joining(grown)
            owners = sorted({row.person for row in self._rows(inside).values() if row.person is not None})
            inside |= self._joining(row.number for rows in self._store.persons.members(owners) for row in rows)
            here = self._around(inside)
            links, number = here.resolution.links, here.resolution.identifiers.number
            kept = here.resolution.dropped == JOINS
            grown = {*number[links.a[kept]].tolist(), *number[links.b[kept]].tolist()} - inside
            if not grown:
                return here, inside

    def _joining(self, numbers: Iterable[int]) -> set[int]:
        """Those of them that their own value, or the crowd around them, does not keep from joining."""
        return {number for number, code in self._codes(self._rows(numbers)).items() if code == JOINS}

    def _codes(self, rows: Mapping[int, IdentifierRow]) -> dict[int, int]:
        names = sorted({row.identifier.namespace for row in rows.values()})
        namespace = np.array([names.index(row.identifier.namespace) for row in rows.values()], dtype=np.int16)
        values = [row.identifier.value for row in rows.values()]
        found = prune_values(namespace, values, self._policy, Rules.of(self._policy, names, ()))
        return {
            number: HUB if code == JOINS and rows[number].pruned == CODES[HUB] and self._is_hub(number) else code
            for number, code in zip(rows, found.tolist(), strict=True)
        }

    def _is_hub(self, number: int) -> bool:
        """Of a published hub, whose history is long: as columns."""
        if number not in self._hubs:
            evidence, policy = self._store.evidence, replace(self._policy, similarity=())
            seen, sources = self._observed(np.array([number]))
            identifiers, values = evidence.identifier_table(np.union1d(seen.identifier, number))
            none, said = np.empty(0, np.int64), evidence.statements(np.array([number]))
            now = self._newest() if policy.decays else 0
            found = resolve(identifiers, values, seen, (none, none), sources, policy, said=said, now=now)
            self._hubs[number] = bool(found.pruned[np.searchsorted(identifiers.number, number)] == HUB)
        return self._hubs[number]

    def _all_similar(self) -> dict[int, list[SimilarRow]]:
        found: dict[int, list[SimilarRow]] = defaultdict(list)
        if self._policy.similarity:
            seen, sources = self._observed()
            identifiers, values = self._store.evidence.identifier_table()
            none, said, now = np.empty(0, np.int64), self._store.evidence.statements(), self._newest()
            whole = resolve(identifiers, values, seen, (none, none), sources, self._policy, said=said, now=now)
            for row in to_rows(whole.similar, identifiers.number):
                found[row.a].append(row)
                found[row.b].append(row)
        return found

    def _rows(self, numbers: Iterable[int]) -> dict[int, IdentifierRow]:
        found = self._store.evidence.identifiers_by_number(sorted(set(numbers)))
        return {row.number: row for row in found if row}

    def _around(self, inside: set[int]) -> Neighbourhood:
        missing = sorted(inside - self._events.keys())
        found = self._consenting(self._store.evidence.events_of(missing))
        self._events.update(zip(missing, map(self._view.events, found), strict=True))
        similar = {number: self._similar[number] for number in inside} if self._similar else {}
        reached = {number for one in inside for row in self._events[one] for number in row.identifiers} | inside
        reached |= {n for rows in similar.values() for row in rows for n in (row.a, row.b, *row.shared)}
        rows = self._rows(reached)
        codes = self._codes(rows)
        known = {n: row._replace(person=None, pruned=CODES[codes[n]] or None) for n, row in rows.items()}
        alike = {number: similar.get(number, []) for number in inside}
        events = {number: self._events[number] for number in inside}
        self._supposed.know(Subgraph(None, {}, {}, known, {}, {}, alike, {}, events))
        return around(self._supposed, self._policy, np.array(sorted(inside), dtype=np.int64))

    def _consenting(self, found: Sequence[Sequence[EventRow]]) -> Sequence[Sequence[EventRow]]:
        """Where evidence of people who said no joins nobody: the events whose identifiers, but for those that join
        nobody, may be used."""
        purpose = self._purpose
        if purpose is None or not self._stitches:
            return found
        joining = self._joining(number for rows in found for row in rows for number in row.identifiers)
        missing = sorted(joining - self._said.keys())
        for number, rows in zip(missing, self._store.evidence.events_of(missing), strict=True):
            self._said[number] = standing((one for row in rows for one in stated(row.event)), self._now())

        def may(row: EventRow) -> bool:
            said = [one for number in row.identifiers if number in joining for one in self._said[number].values()]
            return allows(standing(said, self._now()), purpose, self._policy)

        return [[row for row in rows if may(row)] for rows in found]

    # ---- who they are

    def _subgraph(
        self,
        here: Neighbourhood,
        asked: Mapping[Identifier, IdentifierRow | None],
        named: Mapping[str, PersonRow | None],
    ) -> Subgraph:
        resolution, before = here.resolution, self._supposed.known
        inside = [int(number) for number in resolution.identifiers.number[here.inside]]
        published = self._rows(inside)
        labels = resolution.groups.label[here.inside].copy()
        labels[[not self._events[number] for number in inside]] = -1  # as if it had never been
        namespace = resolution.identifiers.namespace[here.inside]
        keys = [(row.identifier.namespace, row.identifier.value) for row in published.values()]
        previous = np.array([published[number].person or 0 for number in inside], dtype=np.int64)
        owners = assign(labels, previous, resolution.rules.carries[namespace], keys.__getitem__).person
        persons, members = self._persons(published, owners.tolist())
        rows = dict(before.identifiers)
        codes = dict(zip(inside, resolution.pruned[here.inside].tolist(), strict=True))
        for person, found in members.items():
            for place, row in enumerate(found):
                same = row.person == person
                since = row.since if same else min(event.event.time for event in self._events[row.number])
                found[place] = rows[row.number] = row._replace(person=person, since=since, pruned=None)
        for number, code in codes.items():
            rows[number] = rows[number]._replace(pruned=CODES[code] or None)
        refused: dict[int, list[SuppressedRow]] = {number: [] for number in inside}
        for link in suppressed_rows(here, self._policy):
            refused[link.a].append(link)
            refused[link.b].append(link)
        known = [row for row in asked.values() if row]
        sightings = self._sightings([row.number for row in known])
        seen = {row.number for row, sighted in zip(known, sightings, strict=True) if sighted}
        shown: dict[Identifier | str, IdentifierRow | PersonRow | None] = {
            key: self._shown(row, rows) if row and row.number in seen else None for key, row in asked.items()
        }
        shown.update(_named(named, persons))
        return Subgraph(
            moment=None,
            asked=shown,
            persons={**persons, **{row.number: row for row in named.values() if row and row.survivor in persons}},
            identifiers=rows,
            members=members,
            suppressed=refused,
            similar=before.similar,
            segments={person: [] for person in persons},
            events=before.events,
        )

    def _persons(
        self, published: Mapping[int, IdentifierRow], owners: Sequence[int]
    ) -> tuple[dict[int, PersonRow], dict[int, list[IdentifierRow]]]:
        members: dict[int, list[IdentifierRow]] = defaultdict(list)
        for row, owner in sorted(zip(published.values(), owners, strict=True), key=lambda pair: pair[0].identifier.key):
            if owner:
                members[owner].append(row)
        numbers = sorted({row.person for row in published.values() if row.person is not None})
        known = {row.number: row for row in self._store.persons.persons_by_number(numbers) if row}
        nobody = PersonRow(0, "", self._now(), self._now(), None)
        numbering: dict[str, count[int]] = defaultdict(lambda: count(2))
        persons = {}
        for person, found in members.items():  # in order of their smallest key
            base = next((known[row.person] for row in found if row.person in known), nobody)
            split = f"{base.id}~{next(numbering[base.id])}" if person < 0 else ""
            persons[person] = base._replace(number=person, id=split) if split else known[person]
        return persons, dict(members)

    def _shown(self, row: IdentifierRow, rows: Mapping[int, IdentifierRow]) -> IdentifierRow:
        """An identifier that was asked for, as the view shows it."""
        return rows.get(row.number) or row._replace(
            person=None, pruned=CODES[self._codes({row.number: row})[row.number]]
        )

    # ---- what follows

    def _sure(self, found: Subgraph) -> Subgraph:
        """Without the identifiers that are not sure enough to be of their person."""
        sure = Linking(self._supposed, self._policy).confidences(list(found.members.values()))
        weak = {number for of in sure for number, one in of.items() if one < self._view.min_confidence}
        return _without(found, weak)

    def _allowed(self, found: Subgraph, purpose: str) -> Subgraph:
        """Without the persons who may not be used for the purpose."""
        owner = {row.number: (row.identifier, person) for person, rows in found.members.items() for row in rows}
        # A no is heard also where its event is left out of what the view is resolved from.
        evidence = self._store.evidence if self._resolves else self._supposed.evidence
        said: dict[int, set[Consent]] = {number: set() for number in found.members}
        for rows in evidence.events_of(sorted(owner)):
            for row in rows:
                if words := list(stated(row.event)):
                    owned = dict(owner[number] for number in row.identifiers if number in owner)
                    if by := attribute(owned, self._policy):
                        said[owned[by]].update(words)
        refused: set[int] = set()
        for person, all_words in said.items():
            if not allows(standing(all_words, self._now()), purpose, self._policy):
                refused |= {row.number for row in found.members[person]}
        return _without(found, refused)

    def _with_segments(self, found: Subgraph) -> Subgraph:
        """Whoever meets the condition of a saved segment is in it; those that compare everybody are as published."""
        saved = [one for one in self._store.segments.segments() if one]
        if not saved or not (self._resolves or self._view.min_confidence):
            return found
        trees = {one.name: one.condition for one in saved}
        numbers = [number for number, rows in found.members.items() if rows]
        facts = self.people.facts([found.persons[number].id for number in numbers])
        computed = self._store.segments.computed()
        met = {
            name: parse_condition({"segment": name}, trees.get, computed.get)
            for name in trees
            if not any(compares(trees[one]) for one in built_on(name, trees.get))
        }
        now = self._now()
        inside = {}
        for number, known in zip(numbers, facts, strict=True):
            published = {one.name for one in found.segments.get(number, ())}
            inside[number] = [
                one for one in saved if (met[one.name](known, now) if one.name in met else one.name in published)
            ]
        return replace(found, segments={**found.segments, **inside})


def _without(found: Subgraph, left_out: Set[int]) -> Subgraph:
    """As if these identifiers were nobody's; whoever has no other is not there."""
    members = {person: [row for row in rows if row.number not in left_out] for person, rows in found.members.items()}
    gone = {person for person, rows in members.items() if not rows}
    rows = {
        number: row._replace(person=None) if number in left_out else row for number, row in found.identifiers.items()
    }
    asked = {
        key: rows[row.number]
        if isinstance(row, IdentifierRow) and row.number in rows
        else None
        if isinstance(row, PersonRow) and {row.number, row.survivor} & gone
        else row
        for key, row in found.asked.items()
    }
    return replace(found, asked=asked, identifiers=rows, members=members)


def _named(named: Mapping[str, PersonRow | None], persons: Mapping[int, PersonRow]) -> dict[str, PersonRow | None]:
    by_id = {row.id: row for row in persons.values()}
    found: dict[str, PersonRow | None] = {}
    for id, row in named.items():
        alive = row is not None and (row.survivor or row.number) in persons and "~" not in id
        found[id] = row if alive else by_id.get(id)
    return found
