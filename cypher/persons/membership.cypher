// Who belongs to whom, of identifiers of a range of numbers, as columns.
// $after integer: the number before the first
// $upto integer: the last number
// returns: identifiers, persons
MATCH (identifier:Identifier)
  USING INDEX SEEK identifier:Identifier(number)
WHERE identifier.number > $after AND identifier.number <= $upto
MATCH (identifier)-[:IDENTIFIES]->(person)
RETURN collect(identifier.number) AS identifiers, collect(person.number) AS persons
