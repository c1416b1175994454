// What became of persons.
// $changes list<map>: the properties of each
UNWIND $changes AS properties
CREATE (change:Change)
SET change = properties
