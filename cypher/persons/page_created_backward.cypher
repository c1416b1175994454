// The live persons that came to be before one, the nearest first.
// $before integer: a number
// $limit integer
// returns: number, id, created, updated
MATCH (person:Person)
  USING INDEX SEEK person:Person(number)
WHERE person.number < $before
RETURN person.number AS number, person.id AS id, person.created AS created, person.updated AS updated
ORDER BY number DESC LIMIT $limit
