// Let persons leave and enter a segment; who is nobody, or is retired, is passed over.
// $segment string: its name
// $left list<string>: ids of persons
// $entered list<string>: ids of persons
// $evaluated integer: time
// returns: left, entered
MATCH (segment:Segment {name: $segment})
  USING INDEX SEEK segment:Segment(name)
CALL (segment) {
  UNWIND $left AS id
  MATCH (person:Person {id: id})-[member:MEMBER_OF]->(segment)
  USING INDEX SEEK person:Person(id)
  DELETE member
  RETURN collect(id) AS left
}
CALL (segment) {
  UNWIND $entered AS id
  MATCH (person:Person {id: id})
    USING INDEX SEEK person:Person(id)
  WHERE NOT EXISTS { (person)-[:MEMBER_OF]->(segment) }
  CREATE (person)-[:MEMBER_OF]->(segment)
  RETURN collect(id) AS entered
}
SET segment.evaluated = $evaluated, segment.size = COUNT { (segment)<-[:MEMBER_OF]-() }
RETURN left, entered
