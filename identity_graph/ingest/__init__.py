"""Taking evidence in: files, events of the API, and once more what was set aside."""

from identity_graph.ingest.ingest import Ingest

__all__ = ["Ingest"]
