// Persons that are not what they were.
// $numbers list<integer>: of persons
// $time integer
// $edition integer: the one that touches them
UNWIND $numbers AS number
MATCH (person:Person {number: number})
  USING INDEX SEEK person:Person(number)
SET person.updated = $time, person.edition = $edition
