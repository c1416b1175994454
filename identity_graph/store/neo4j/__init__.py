"""The server store: a Neo4j database, through the files in `cypher/` and nothing else."""

from identity_graph.store.neo4j.store import Neo4jStore

__all__ = ["Neo4jStore"]
