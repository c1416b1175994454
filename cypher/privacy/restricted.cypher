// Identifiers that are restricted, and since when.
// returns: number, since
MATCH (identifier:Identifier)
  USING INDEX SEEK identifier:Identifier(restricted)
WHERE identifier.restricted > 0
RETURN identifier.number AS number, identifier.restricted AS since ORDER BY number
