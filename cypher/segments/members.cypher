// The next members of a segment in order of id: of a small one by sorting its members, of a large one by walking along
// the ids of all persons, where the next member is never far.
// $segment string: its name
// $after string: an id, or empty
// $limit integer
// returns: id
MATCH (segment:Segment {name: $segment})
  USING INDEX SEEK segment:Segment(name)
WITH segment, segment.size * segment.size < $limit * COUNT { (:Person) } AS small
CALL (segment, small) {
  WITH segment, small WHERE small
  // By its label the planner could find it too, and would walk along all persons.
  MATCH (segment)<-[:MEMBER_OF]-(person) WHERE person.id > $after
  RETURN person.id AS id ORDER BY id LIMIT $limit
  UNION ALL
  WITH segment, small WHERE NOT small
  MATCH (person:Person)
  USING INDEX SEEK person:Person(id)
  WHERE person.id > $after AND EXISTS { (person)-[:MEMBER_OF]->(segment) }
  RETURN person.id AS id ORDER BY id LIMIT $limit
}
RETURN id ORDER BY id
