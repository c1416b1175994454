"""Taking evidence in: files, events of the API, and once more what was set aside."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from identity_graph.ingest.ingest import Ingest

__all__ = ["Ingest"]


def __getattr__(name: str) -> Any:
    # Only when it is asked for: a process that maps blocks starts in a third of the time without the resolver.
    if name == "Ingest":
        return import_module("identity_graph.ingest.ingest").Ingest
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
