// All changes of persons.
// $ids list<string>: of persons, without repeats
// returns: changes
UNWIND $ids AS id
MATCH (change:Change {person_id: id})
  USING INDEX SEEK change:Change(person_id)
RETURN collect(properties(change)) AS changes
