// Those of these identifiers that join nobody, by the reason.
// $numbers list<integer>: of identifiers, without repeats
// returns: code, numbers
UNWIND $numbers AS number
MATCH (identifier:Identifier {number: number})
  USING INDEX SEEK identifier:Identifier(number)
WHERE identifier.pruned IS NOT NULL
RETURN identifier.pruned AS code, collect(number) AS numbers
