// Delete a segment, and say whose it was.
// $segment string: its name
// returns: ids
MATCH (segment:Segment {name: $segment})
  USING INDEX SEEK segment:Segment(name)
WITH segment, COLLECT { MATCH (segment)<-[:MEMBER_OF]-(person) RETURN person.id } AS ids
DETACH DELETE segment
RETURN ids
