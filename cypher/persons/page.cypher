// The next live persons in order of id.
// $after string: an id, or empty
// $limit integer
// returns: id, created, updated
MATCH (person:Person)
  USING INDEX SEEK person:Person(id)
WHERE person.id > $after
RETURN person.id AS id, person.created AS created, person.updated AS updated ORDER BY id LIMIT $limit
