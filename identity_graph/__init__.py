"""Identity resolution as a graph: which emails, devices, cookies and loyalty ids are one person, and why.

The front door. What needs a driver, a table library or a compiler is loaded when it is first used.
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

from identity_graph import errors
from identity_graph.model import Event, Identifier
from identity_graph.policy import Policy

if TYPE_CHECKING:
    import polars as pl

    from identity_graph.service import IdentityGraph
    from identity_graph.store import open_store
    from identity_graph.view import View

__version__ = "0.1.0"

__all__ = [
    "Event",
    "Identifier",
    "IdentityGraph",
    "Policy",
    "View",
    "__version__",
    "errors",
    "open_store",
    "resolve",
]

_LATER = {
    "IdentityGraph": "identity_graph.service",
    "View": "identity_graph.view",
    "open_store": "identity_graph.store",
}


def resolve(frame: Any, policy: Policy | None = None) -> pl.DataFrame:
    """Memberships of a polars (also lazy), pandas or Arrow table of observations or of links, or of a mapping of
    columns, without a store. Values are taken as they are: nothing is normalised.

    Observations have a row for each identifier that an event saw: `event` (any one value that equals itself: a text, a
    whole number, a moment, ...), `namespace` and `value` (texts; of values also whole numbers), and, if there are,
    `time` (a datetime or date, or integer microseconds since 1970 UTC) and `source` (a text), of which an event has
    one. Links have a row for each pair: `a` and `b` (texts, `namespace:value`), and, if there are, `count` (of events,
    1 to 2^31 - 1, 1 when left out), `first_seen`, `last_seen` (as `time`) and `source`. Other columns are ignored, save
    `weight`, which is refused: the policy, the default one when left out, makes weights of the evidence.

    Returns a polars table with a row for each identifier, sorted by person, namespace and value: `person` (int64, dense
    from 0, null for nobody), `namespace`, `value` (texts), `pruned` (a text: null, or the code of why it joins nobody).
    Persons are numbered in the order of their smallest namespace and value, so that equal tables have equal answers,
    whatever the order of their rows.

    Raises InputError: FRAME_INVALID, NAMESPACE_INVALID, KEY_INVALID; PolicyError: POLICY_VALUE. 2 threads, time in
    proportion to the rows and, as they are sorted, n log n of the identifiers (`bench.strings`). Besides the table 56
    bytes a row to tell its texts apart, then 40 a link (a pair seen by a source) and 40 an identifier (`bench.memory`).
    The first call of a fresh installation compiles kernels for some seconds.

    >>> import polars as pl
    >>> import identity_graph as ig
    >>> seen = pl.DataFrame({
    ...     "event": [1, 1, 2, 2], "namespace": ["email", "cookie", "cookie", "user_id"],
    ...     "value": ["ann@example.org", "c1", "c1", "u1"]})
    >>> ig.resolve(seen).rows()
    [(0, 'cookie', 'c1', None), (0, 'email', 'ann@example.org', None), (0, 'user_id', 'u1', None)]
    >>> links = {"a": ["email:ann@example.org"], "b": ["cookie:null"], "count": [3]}
    >>> ig.resolve(links, ig.Policy.parse("min_weight = 0.5")).rows()
    [(0, 'email', 'ann@example.org', None), (None, 'cookie', 'null', 'BLOCKED')]
    """
    from identity_graph import frames

    return frames.resolve(frame, policy)


class _FrontDoor(ModuleType):
    """Python binds a package to its parent when it is first imported; `resolve` is to stay the function."""

    def __setattr__(self, name: str, value: object) -> None:
        if name != "resolve":
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _FrontDoor


def __getattr__(name: str) -> Any:
    if name in _LATER:
        return getattr(import_module(_LATER[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
