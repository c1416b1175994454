// Delete a segment.
// $segment string: its name
// returns: deleted
MATCH (segment:Segment {name: $segment})
  USING INDEX SEEK segment:Segment(name)
DETACH DELETE segment
RETURN count(*) AS deleted
