"""Person ids as the changes tell of them: who lives, who was merged into whom, who is gone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from identity_graph.model import Change, ChangeKind, Identifier
from identity_graph.store.protocols import PersonStore

CREATED, ABSORBED, MERGED, SPLIT, ERASED, *_ = ChangeKind

Owners = Mapping[Identifier, str]


class Ledger:
    def __init__(self) -> None:
        self.live: set[str] = set()
        self.survivor: dict[str, str] = {}
        self.gone: set[str] = set()

    def follow(self, changes: Iterable[Change]) -> None:
        """A new id was never used before."""
        for change in changes:
            if change.kind == CREATED:
                self._begin([change.person_id])
            elif change.kind == MERGED:
                for id in change.from_ids:
                    self._end(id, change.person_id)
            elif change.kind == SPLIT:
                self._begin([id for id in change.to_ids if id not in self.live])
                if not change.to_ids:
                    self._end(change.person_id, None)
            elif change.kind == ERASED:
                self._end(change.person_id, None)

    def _begin(self, ids: Sequence[str]) -> None:
        used = self.live | self.gone | self.survivor.keys()
        assert not used.intersection(ids), f"{ids} were used before"
        self.live.update(ids)

    def _end(self, id: str, survivor: str | None) -> None:
        assert id in self.live, f"{id} does not live"
        self.live.discard(id)
        followers = [id, *(one for one, into in self.survivor.items() if into == id)]
        for one in followers:
            if survivor is None:
                self.survivor.pop(one, None)
                self.gone.add(one)
            else:
                self.survivor[one] = survivor

    def assert_kept(self, persons: PersonStore) -> None:
        """Who was merged redirects in one step to who lives; who is gone is unknown."""
        assert set(self.survivor.values()) <= self.live
        known = [*self.live, *self.survivor]
        rows = [row for row in persons.persons(known) if row]
        assert [row.id for row in rows] == known
        number = {row.id: row.number for row in rows}
        into = [number[self.survivor[id]] if id in self.survivor else None for id in known]
        assert [row.survivor for row in rows] == into
        assert not any(persons.persons(list(self.gone)))


def assert_named(before: Owners, after: Owners, changes: Sequence[Change]) -> None:
    """Each difference between two publications has a change that names it, and each change a difference. Identifiers
    that are no more are not in `before`."""
    erased = {change.person_id for change in changes if change.kind == ERASED}
    assert not erased.intersection(after.values())
    before = {one: old for one, old in before.items() if old not in erased}
    moves = {(before.get(one), after.get(one)) for one in {*before, *after}}
    moves = {(old, new) for old, new in moves if old != new}
    old_ids, new_ids = set(before.values()), set(after.values())
    told: set[tuple[str | None, str | None]] = set()
    for change in changes:
        id, sources, ends = change.person_id, change.from_ids, change.to_ids
        if change.kind == CREATED:
            assert id in new_ids - old_ids and (sources, ends) == ((), ())
            told.add((None, id))
        elif change.kind == ABSORBED:
            assert id in new_ids & old_ids and (None, id) in moves and (sources, ends) == ((), (id,))
            told.add((None, id))
        elif change.kind == MERGED:
            assert id in new_ids and set(sources) <= old_ids - new_ids and ends == (id,)
            told |= {(old, id) for old in sources}
        elif change.kind == SPLIT:
            kept = {after[one] for one, old in before.items() if old == id and one in after}
            assert sources == (id,) and set(ends) == kept and len(ends) == len(kept)
            told |= {(id, new) for new in (*ends, None)} | {(None, new) for new in ends if new not in old_ids}
    assert moves <= told, f"no change tells of {moves - told}"
    assert moves or len(erased) == len(changes), "changes without a difference"
