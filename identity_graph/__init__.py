"""Identity resolution as a graph: which emails, devices, cookies and loyalty ids are one person, and why.

The front door. What needs a driver, a table library or a compiler is loaded when it is first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

# Loaded before the function of that name is put in its place below: Python binds a package's name to its
# parent when it is first imported, and would otherwise take `identity_graph.resolve(...)` away again.
import identity_graph.resolve  # noqa: F401
from identity_graph import errors
from identity_graph.model import Event, Identifier
from identity_graph.policy import Policy

if TYPE_CHECKING:
    from identity_graph.service import IdentityGraph
    from identity_graph.store import open_store

__version__ = "0.1.0"

__all__ = [
    "Event",
    "Identifier",
    "IdentityGraph",
    "Policy",
    "__version__",
    "errors",
    "open_store",
    "resolve",
]

_LATER = {"IdentityGraph": "identity_graph.service", "open_store": "identity_graph.store"}


def resolve(frame: Any, policy: Policy | None = None, **options: Any) -> Any:
    """Memberships of a table of links or observations; see `identity_graph.frames.resolve`."""
    from identity_graph import frames

    return frames.resolve(frame, policy, **options)


def __getattr__(name: str) -> Any:
    if name in _LATER:
        return getattr(import_module(_LATER[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
