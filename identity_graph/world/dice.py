"""Randomness that is the same on every machine: only `random()` and `getrandbits()` are promised not to change."""

from __future__ import annotations

from collections.abc import Sequence
from math import log
from random import Random
from typing import TypeVar

T = TypeVar("T")


class Dice:
    """A seeded source of chance; two with one seed throw the same."""

    def __init__(self, seed: int) -> None:
        random = Random(seed)
        self.random = random.random
        self._bits = random.getrandbits

    def chance(self, probability: float) -> bool:
        return self.random() < probability

    def below(self, end: int) -> int:
        """A whole number from 0 to end - 1."""
        return int(self.random() * end)

    def between(self, low: int, high: int) -> int:
        """A whole number from low to high, both included."""
        return low + int(self.random() * (high - low + 1))

    def pick(self, choices: Sequence[T]) -> T:
        return choices[int(self.random() * len(choices))]

    def often(self, mean: float) -> int:
        """A whole number from 0 to 12 times the mean, geometric in shape: small ones most."""
        return int(min(-log(1.0 - self.random()), 12.0) * mean)

    def sample(self, choices: Sequence[T], size: int) -> list[T]:
        """Different places of the sequence, all of it if it is shorter; in random order."""
        pool = list(choices)
        size = min(size, len(pool))
        for place in range(size):
            other = place + self.below(len(pool) - place)
            pool[place], pool[other] = pool[other], pool[place]
        return pool[:size]

    def uuid(self) -> str:
        digits = f"{self._bits(128):032x}"
        return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"

    def hexadecimal(self, length: int) -> str:
        return f"{self._bits(4 * length):0{length}x}"
