// Who belongs to whom, of these identifiers, as columns.
// $numbers list<integer>: of identifiers, without repeats
// returns: identifiers, persons
UNWIND $numbers AS number
MATCH (identifier:Identifier {number: number})-[:IDENTIFIES]->(person)
  USING INDEX SEEK identifier:Identifier(number)
RETURN collect(number) AS identifiers, collect(person.number) AS persons
