// Persons that are not what they were.
// $numbers list<integer>: of persons
// $time integer
UNWIND $numbers AS number
MATCH (person:Person {number: number})
  USING INDEX SEEK person:Person(number)
SET person.updated = $time
