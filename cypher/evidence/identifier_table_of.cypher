// Identifiers by number, as columns.
// $numbers list<integer>: without repeats
// returns: numbers, namespaces, values
UNWIND $numbers AS number
MATCH (identifier:Identifier {number: number})
  USING INDEX SEEK identifier:Identifier(number)
RETURN collect(identifier.number) AS numbers, collect(identifier.namespace) AS namespaces,
       collect(identifier.value) AS values
