"""Reading files of records: CSV, JSON Lines and Parquet, each also gzipped, and standard input."""

from identity_graph.records.reader import Found, Reader, read_again
from identity_graph.records.source import Form

__all__ = ["Form", "Found", "Reader", "read_again"]
