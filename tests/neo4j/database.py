"""The one database of a Community server, by its URL."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import unquote, urlsplit

from neo4j import Driver, GraphDatabase, Record


@contextmanager
def connected(url: str) -> Iterator[Driver]:
    """A driver for `neo4j://user:password@host:port/...`; quiet about what the server thinks of a query."""
    parts = urlsplit(url)
    address = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
    login = (unquote(parts.username or ""), unquote(parts.password or ""))
    with GraphDatabase.driver(address, auth=login, notifications_min_severity="OFF") as driver:
        yield driver


def asked(url: str, query: str, **parameters: object) -> list[Record]:
    """The rows of one query in the URL's database, in a transaction of its own."""
    with connected(url) as driver, driver.session(database=urlsplit(url).path.strip("/") or None) as session:
        return list(session.run(query, parameters))


def emptied(url: str) -> str:
    """The same URL, when every node is gone. Constraints, indexes and projected graphs stay."""
    asked(url, "MATCH (n) CALL (n) { DETACH DELETE n } IN TRANSACTIONS OF 20000 ROWS")
    return url
