// Persons of later editions, and those that were merged into them.
// $edition integer
// returns: numbers
MATCH (person:Person)
  USING INDEX SEEK person:Person(edition)
WHERE person.edition > $edition
CALL (person) {
  RETURN person.number AS number
  UNION ALL
  MATCH (earlier:Retired)-[:MERGED_INTO]->(person)
  RETURN earlier.number AS number
}
RETURN collect(number) AS numbers
