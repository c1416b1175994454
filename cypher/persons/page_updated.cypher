// The next live persons in order of when they were updated: those of its own time, then the others.
// $updated integer: when the one was
// $number integer: its number
// $limit integer
// returns: number, id, created, updated
CALL () {
  MATCH (person:Person)
    USING INDEX SEEK person:Person(updated, number)
  WHERE person.updated = $updated AND person.number > $number
  RETURN person ORDER BY person.number LIMIT $limit
  UNION ALL
  MATCH (person:Person)
    USING INDEX SEEK person:Person(updated, number)
  WHERE person.updated > $updated AND person.number IS NOT NULL
  RETURN person ORDER BY person.updated, person.number LIMIT $limit
}
RETURN person.number AS number, person.id AS id, person.created AS created, person.updated AS updated
ORDER BY updated, number LIMIT $limit
