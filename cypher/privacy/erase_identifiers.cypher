// Delete identifiers with all that hangs on them, and say which they were.
// $numbers list<integer>: of identifiers
// returns: keys
UNWIND $numbers AS number
MATCH (identifier:Identifier {number: number})
  USING INDEX SEEK identifier:Identifier(number)
WITH identifier, identifier.key AS key
DETACH DELETE identifier
RETURN collect(key) AS keys
