// Persons that are not what they were.
// $numbers list<integer>: of persons
// $time integer
UNWIND $numbers AS number
MATCH (person:Person {number: number})
SET person.updated = $time
