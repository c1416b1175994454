// Every identifier that joins nobody, by the reason.
// returns: code, numbers
MATCH (identifier:Identifier) WHERE identifier.pruned IS NOT NULL
RETURN identifier.pruned AS code, collect(identifier.number) AS numbers
