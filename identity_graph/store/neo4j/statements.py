"""The project's Cypher: one file a statement, read once. No value is ever part of a text, only a parameter."""

from __future__ import annotations

from functools import cache

from identity_graph.files import data_folder


@cache
def statement(name: str) -> str:
    """The text of `cypher/NAME.cypher`, without the comments at its head.

    >>> statement("persons/count")
    'MATCH (person:Person) RETURN count(person) AS persons'
    """
    text = (data_folder("cypher") / f"{name}.cypher").read_text(encoding="utf-8")
    return "\n".join(line for line in text.splitlines() if not line.startswith("//")).strip()


@cache
def script(name: str) -> tuple[str, ...]:
    """The statements of a file of several, each of which ends in a semicolon."""
    return tuple(part.strip() for part in statement(name).split(";") if part.strip())
