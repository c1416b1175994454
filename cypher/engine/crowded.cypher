// Identifiers with so many links that they may be hubs.
// $least integer: more than this many links
// returns: numbers
MATCH (identifier:Identifier)
  USING INDEX SEEK identifier:Identifier(number)
WHERE identifier.number > 0 AND COUNT { (identifier)-[:SEEN_WITH|SAME_PERSON]-() } > $least
RETURN collect(identifier.number) AS numbers
