"""The URL of a Neo4j store: neo4j://user:password@host:7687/database."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

from identity_graph.errors import StoreError

SCHEMES = ("neo4j", "neo4j+s", "neo4j+ssc", "bolt", "bolt+s", "bolt+ssc")
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9.-]{2,62}")
_HELP = (
    "Write neo4j://user:password@host:7687/database; with TLS neo4j+s://. In a password %40 stands for @, %2F for /."
)


@dataclass(frozen=True, slots=True)
class Address:
    """`uri` is what the driver takes; without a user the server is one that asks for none. Never shows the password.

    >>> Address.parse("neo4j+s://ann:p%40ss@graph.example:7999/people")
    Address(uri='neo4j+s://graph.example:7999', database='people', user='ann')
    """

    uri: str
    database: str = "neo4j"
    user: str | None = None
    password: str = field(default="", repr=False)

    @classmethod
    def parse(cls, url: str) -> Address:
        """Raises STORE_URL."""
        try:
            parts = urlsplit(url)
            port = parts.port or 7687
        except ValueError:
            raise StoreError("STORE_URL", "the port is not a number", help=_HELP) from None
        if parts.scheme not in SCHEMES or not parts.hostname or parts.query or parts.fragment:
            raise StoreError("STORE_URL", "that is not the URL of a Neo4j database", help=_HELP)
        database = parts.path.strip("/")
        if database and not _NAME.fullmatch(database):
            # Not repeated: a password with a slash that is not written %2F ends up in it.
            raise StoreError("STORE_URL", "what follows the port is not the name of a database", help=_HELP)
        if database == "system":
            raise StoreError("STORE_URL", "the database called system holds no graph", help=_HELP)
        host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
        user = unquote(parts.username) if parts.username else None
        return cls(f"{parts.scheme}://{host}:{port}", database or "neo4j", user, unquote(parts.password or ""))

    def __str__(self) -> str:
        return f"{self.uri}/{self.database}"
