// Who belongs to whom, of identifiers of a range of numbers, as columns.
// $after integer: the number before the first
// $upto integer: the last number
// returns: keys, persons
MATCH (identifier:Identifier)
  USING INDEX SEEK identifier:Identifier(number)
WHERE identifier.number > $after AND identifier.number <= $upto
MATCH (identifier)-[:IDENTIFIES]->(person:Person)
RETURN collect(identifier.key) AS keys, collect(person.number) AS persons
