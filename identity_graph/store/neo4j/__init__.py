"""The server store: a Neo4j database, through the project's files in `cypher/` and nothing else."""
