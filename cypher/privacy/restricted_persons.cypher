// Persons that have a restricted identifier, and those merged into them; the survivor of who is live is null.
// returns: persons
MATCH (identifier:Identifier)-[:IDENTIFIES]->(person:Person)
  USING INDEX SEEK identifier:Identifier(restricted)
WHERE identifier.restricted > 0
WITH collect(DISTINCT person) AS hidden
UNWIND hidden AS person
CALL (person) {
  RETURN person AS one, null AS survivor
  UNION ALL
  MATCH (gone:Retired)-[:MERGED_INTO]->(person)
  RETURN gone AS one, person.number AS survivor
}
RETURN collect([one.number, one.id, one.created, one.updated, survivor]) AS persons
