// The segments of persons, as columns.
// $ids list<string>: of persons, without repeats
// returns: ids, names
UNWIND $ids AS id
MATCH (person:Person {id: id})-[:MEMBER_OF]->(segment:Segment)
  USING INDEX SEEK person:Person(id)
RETURN collect(id) AS ids, collect(segment.name) AS names
