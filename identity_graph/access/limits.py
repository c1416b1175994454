"""How many requests a key may make: a bucket of as many, which fills again evenly over its time."""

from __future__ import annotations

import math
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from threading import Lock

from identity_graph.errors import AccessError
from identity_graph.times import SECOND, format_duration, parse_duration

_FORM = re.compile(r"(\d{1,9}) per (.+)", re.ASCII)


@dataclass(frozen=True, slots=True)
class Rate:
    """So many requests in so many microseconds; after a pause all of them at once."""

    requests: int
    period: int

    @classmethod
    def parse(cls, text: str) -> Rate:
        """Raises ValueError.

        >>> Rate.parse("600 per minute"), str(Rate.parse("5 per 30s"))
        (Rate(requests=600, period=60000000), '5 per 30s')
        """
        match = _FORM.fullmatch(text.strip())
        if match is None:
            raise ValueError(f"{text[:40]!r} is not, say, `600 per minute`")
        period = match[2] if match[2][0].isdecimal() else f"1 {match[2]}"
        found = cls(int(match[1]), parse_duration(period))
        if found.requests < 1 or found.period < SECOND:
            raise ValueError(f"{text[:40]!r} is none in a time, or in less than a second")
        return found

    def __str__(self) -> str:
        return f"{self.requests} per {format_duration(self.period)}"


@dataclass(frozen=True, slots=True)
class Allowance:
    """What is left of a rate, and in how many seconds all of it is there again; `wait`, where nothing is left, those
    until the next request may come."""

    rate: Rate
    left: int
    reset: float
    wait: float = 0.0

    @property
    def headers(self) -> Mapping[str, str]:
        """As the IETF's draft "RateLimit header fields for HTTP" (07) names them."""
        found = {
            "ratelimit-limit": str(self.rate.requests),
            "ratelimit-remaining": str(self.left),
            "ratelimit-reset": str(math.ceil(self.reset)),
            "ratelimit-policy": f"{self.rate.requests};w={math.ceil(self.rate.period / SECOND)}",
        }
        return found | {"retry-after": str(math.ceil(self.wait))} if self.wait else found


class RateLimited(AccessError):
    """RATE_LIMITED, and when to come again."""

    def __init__(self, name: str, allowance: Allowance) -> None:
        wait = math.ceil(allowance.wait)
        message = f"{name} has made {allowance.rate}, as many as it may"
        super().__init__("RATE_LIMITED", message, help=f"Come again in {wait} {'second' if wait == 1 else 'seconds'}.")
        self.allowance = allowance


class Limits:
    """The buckets of one process, by name."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = Lock()
        self._buckets: dict[str, tuple[Rate, float, float]] = {}

    def spend(self, name: str, rate: Rate) -> Allowance:
        """One request. Raises RATE_LIMITED. A rate that has changed begins anew."""
        seconds = rate.period / SECOND / rate.requests  # in which one is there again
        with self._lock:
            now = self._clock()
            known, left, since = self._buckets.get(name, (rate, float(rate.requests), now))
            if known != rate:
                left, since = float(rate.requests), now
            left = min(float(rate.requests), left + (now - since) / seconds)
            may = left >= 1
            left -= may
            self._buckets[name] = rate, left, now
        reset = (rate.requests - left) * seconds
        if not may:
            raise RateLimited(name, Allowance(rate, 0, reset, (1 - left) * seconds))
        return Allowance(rate, int(left), reset)
