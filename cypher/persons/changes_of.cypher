// All changes of persons.
// $ids list<string>: of persons, without repeats
// returns: changes
UNWIND $ids AS id
MATCH (change:Change {person_id: id})
RETURN collect(properties(change)) AS changes
