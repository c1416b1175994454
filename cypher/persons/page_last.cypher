// The last live persons, the last one first.
// $limit integer
// returns: id, created, updated
MATCH (person:Person) WHERE person.id IS NOT NULL
RETURN person.id AS id, person.created AS created, person.updated AS updated ORDER BY id DESC LIMIT $limit
