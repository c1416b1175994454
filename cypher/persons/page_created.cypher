// The next live persons as they came to be.
// $after integer: a number
// $limit integer
// returns: number, id, created, updated
MATCH (person:Person)
  USING INDEX SEEK person:Person(number)
WHERE person.number > $after
RETURN person.number AS number, person.id AS id, person.created AS created, person.updated AS updated
ORDER BY number LIMIT $limit
