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
    """Memberships of a table of links or observations, without a store: see `identity_graph.frames.resolve`."""
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
