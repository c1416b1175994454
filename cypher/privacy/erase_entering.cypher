// Delete what tells that persons, and those merged into them, entered or left segments.
// $numbers list<integer>: of persons
UNWIND $numbers AS number
MATCH (person:Person|Retired {number: number})
UNWIND [person.id] + COLLECT { MATCH (earlier:Retired)-[:MERGED_INTO]->(person) RETURN earlier.id } AS id
MATCH (change:Change {person_id: id})
  USING INDEX SEEK change:Change(person_id)
WHERE change.segment IS NOT NULL
DELETE change
