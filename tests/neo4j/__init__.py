"""A real Neo4j with Graph Data Science for tests, benchmarks and play: fetched by Maven once, started at will."""
