"""How much longer twice a document takes: `python -m tests.api.growing_documents`.

In a process of its own: what others have left in the memory of one can make a document that is larger cost many times
what it costs elsewhere.
"""

from __future__ import annotations

import gc
import json
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from graphql import GraphQLError, parse

from identity_graph.api.cost import MAX_LENGTH, MAX_TOKENS, check_cost
from identity_graph.api.documents import paged_fields
from identity_graph.api.schema import graphql_schema
from identity_graph.errors import QueryError
from tests.api.hostile_documents import FAMILIES

SCHEMA = graphql_schema()
PAGED = paged_fields(SCHEMA)


def seconds(work: Callable[[], Any]) -> float:
    """Of CPU, of this thread."""
    started = time.thread_time()
    work()
    return time.thread_time() - started


def fits(text: str) -> bool:
    """Whether a document is walked to its end, so that its length counts."""
    try:
        return len(text) <= MAX_LENGTH and bool(parse(text, max_tokens=MAX_TOKENS))
    except GraphQLError:
        return False


GROWING = {
    family: size
    for family, make in FAMILIES.items()
    if (size := next((n for n in (900, 600, 400, 250, 150, 90, 60) if fits(make(n)) and len(make(n)) > 2_000), 0))
}


def weigh(text: str) -> None:
    """Reading and weighing, to the end or to the limit, whichever comes first."""
    with suppress(QueryError, GraphQLError):
        check_cost(parse(text, max_tokens=10 * MAX_TOKENS), PAGED)


def growth(family: str) -> float:
    """The least time of twice the document beside that of the document itself."""
    make, size = FAMILIES[family], GROWING[family]
    small, large = make(size), make(2 * size)
    assert len(large) > 1.7 * len(small)
    best = {small: 1.0, large: 1.0}
    for _ in range(200):
        for text in best:
            best[text] = min(best[text], seconds(lambda text=text: weigh(text)))  # type: ignore[misc]
        if best[large] <= 2.1 * best[small]:
            break
    return best[large] / best[small]


if __name__ == "__main__":
    gc.disable()
    print(json.dumps({family: growth(family) for family in GROWING}))
