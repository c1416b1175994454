"""The steps from the tables of an earlier version to those of this one: scripts, named by the version they make."""

from __future__ import annotations

from importlib.resources import files

VERSION = 6
OLDEST = 4
"""From which there are steps."""


def script(name: str) -> str:
    return files("identity_graph.store.sqlite").joinpath(f"{name}.sql").read_text(encoding="utf-8")


def steps(version: int) -> list[str]:
    """The scripts that are left, in order; to be run in one transaction."""
    return [script(f"migrations/{made}") for made in range(version + 1, VERSION + 1)]
