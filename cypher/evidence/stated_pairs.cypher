// Pairs of identifiers that events state to be one person.
// returns: pairs
MATCH (a:Identifier)-[:SAME_PERSON]->(b:Identifier)
RETURN collect(DISTINCT [a.number, b.number]) AS pairs
