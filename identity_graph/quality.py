"""How good an answer is, where the truth is known: pairwise and B-cubed precision and recall of memberships.

Everything is counted from the table of persons against owners: of each person, how many of its identifiers are whose.
A pair is two identifiers; it is found when they are in one person, right when they also have one owner, and true when
they have one owner. B-cubed asks the same of each identifier and takes the mean, so that a large person weighs by its
size and not by its square (Bagga and Baldwin 1998; Amigo et al. 2009).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from math import comb
from typing import TypeVar

Key = TypeVar("Key", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Quality:
    """Counts and what they come to. `purity` is the share of identifiers whose owner has most of their person.

    `identifiers` and the pairs are of those that are compared: that have an owner. `persons`, `largest_person` and
    `singletons` (persons of one identifier) are of the whole answer.
    """

    identifiers: int
    true_pairs: int
    found_pairs: int
    right_pairs: int
    b_cubed_precision: float
    b_cubed_recall: float
    purity: float
    persons: int
    largest_person: int
    singletons: int

    @property
    def precision(self) -> float:
        """Of the pairs found, the share that is right; 1 if none was found."""
        return self.right_pairs / self.found_pairs if self.found_pairs else 1.0

    @property
    def recall(self) -> float:
        """Of the true pairs, the share that was found; 1 if there is none."""
        return self.right_pairs / self.true_pairs if self.true_pairs else 1.0

    @property
    def f1(self) -> float:
        """The harmonic mean of precision and recall."""
        return _harmonic_mean(self.precision, self.recall)

    @property
    def b_cubed_f1(self) -> float:
        return _harmonic_mean(self.b_cubed_precision, self.b_cubed_recall)


def measure(members: Mapping[Key, Hashable], truth: Mapping[Key, Hashable | None]) -> Quality:
    """Compare identifier -> person with identifier -> owner, in one pass over each. Keys may as well be event ids: then
    it is events whose person is compared.

    What the truth gives no owner (None: shared) or does not know is left out of the comparison; what has an owner and
    no person is a person of its own, so that refusing to answer costs recall.

    >>> truth = {"email:a": "Ann", "phone:1": "Ann", "email:b": "Bob", "device_id:tablet": None}
    >>> found = measure({"email:a": 1, "phone:1": 1, "email:b": 1, "device_id:tablet": 1}, truth)
    >>> found.precision, found.recall, found.largest_person
    (0.3333333333333333, 1.0, 4)
    """
    cells: Counter[tuple[Hashable, Hashable]] = Counter()
    alone: Counter[Hashable] = Counter()
    for key, owner in truth.items():
        if owner is not None:
            if key in members:
                cells[members[key], owner] += 1
            else:
                alone[owner] += 1

    of_person: Counter[Hashable] = Counter()
    of_owner: Counter[Hashable] = Counter(alone)
    most: dict[Hashable, int] = {}
    for (person, owner), size in cells.items():
        of_person[person] += size
        of_owner[owner] += size
        most[person] = max(size, most.get(person, 0))

    lonely = alone.total()
    identifiers = of_owner.total()
    sizes = Counter(members.values())
    precise = sum(size * size / of_person[person] for (person, _), size in cells.items()) + lonely
    recalled = sum(size * size / of_owner[owner] for (_, owner), size in cells.items())
    recalled += sum(size / of_owner[owner] for owner, size in alone.items())
    return Quality(
        identifiers=identifiers,
        true_pairs=_pairs(of_owner.values()),
        found_pairs=_pairs(of_person.values()),
        right_pairs=_pairs(cells.values()),
        b_cubed_precision=precise / identifiers if identifiers else 1.0,
        b_cubed_recall=recalled / identifiers if identifiers else 1.0,
        purity=(sum(most.values()) + lonely) / identifiers if identifiers else 1.0,
        persons=len(sizes),
        largest_person=max(sizes.values(), default=0),
        singletons=sum(size == 1 for size in sizes.values()),
    )


def _pairs(sizes: Iterable[int]) -> int:
    return sum(comb(size, 2) for size in sizes)


def _harmonic_mean(a: float, b: float) -> float:
    return 2 * a * b / (a + b) if a + b else 0.0
