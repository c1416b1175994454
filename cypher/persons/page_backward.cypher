// The live persons before an id, the nearest first.
// $before string: an id
// $limit integer
// returns: id, created, updated
MATCH (person:Person)
  USING INDEX SEEK person:Person(id)
WHERE person.id < $before
RETURN person.id AS id, person.created AS created, person.updated AS updated ORDER BY id DESC LIMIT $limit
