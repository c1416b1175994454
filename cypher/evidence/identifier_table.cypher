// Identifiers of a range of numbers, as columns.
// $after integer: the number before the first
// $upto integer: the last number
// returns: numbers, namespaces, values
MATCH (identifier:Identifier)
  USING INDEX SEEK identifier:Identifier(number)
WHERE identifier.number > $after AND identifier.number <= $upto
RETURN collect(identifier.number) AS numbers, collect(identifier.namespace) AS namespaces,
       collect(identifier.value) AS values
