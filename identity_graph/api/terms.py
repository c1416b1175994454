"""On what terms an application answers: what it lets its clients do, and for how long."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

MAX_BODY = 1 << 20


@dataclass(frozen=True, slots=True)
class Terms:
    """`deadline` and `mutation_deadline` are the seconds that a request may take; None: as long as it takes. Of `hosts`
    and `origins` none named means every host, and no page of another origin. `trusted` is a folder of documents.

    So many clients may wait for changes at once, each for so many operations; one that does not take a message within
    `patience` seconds is cut off.
    """

    deadline: float | None = 2.0
    mutation_deadline: float | None = 300.0
    max_body: int = MAX_BODY
    introspection: bool = True
    hosts: tuple[str, ...] = ()
    origins: tuple[str, ...] = ()
    graphiql: bool = False
    trusted: Path | None = None
    trusted_only: bool = False
    max_connections: int = 1_000
    max_streams: int = 20
    patience: float = 20.0
