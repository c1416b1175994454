"""The embedded store: one SQLite file, through APSW and nothing else.

A second SQLite library in the same process would break the locks of this one and can corrupt the file.
"""

from identity_graph.store.sqlite.store import SqliteStore

__all__ = ["SqliteStore"]
