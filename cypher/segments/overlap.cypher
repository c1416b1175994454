// How many persons are in both of two segments.
// $segment string: the name of one
// $other string: the name of the other
// returns: both
OPTIONAL MATCH (segment:Segment {name: $segment})
  USING INDEX SEEK segment:Segment(name)
OPTIONAL MATCH (other:Segment {name: $other})
  USING INDEX SEEK other:Segment(name)
RETURN COUNT { (segment)<-[:MEMBER_OF]-(person) WHERE EXISTS { (person)-[:MEMBER_OF]->(other) } } AS both
