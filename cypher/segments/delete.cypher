// Delete a segment.
// $segment string: its name
// returns: deleted
MATCH (segment:Segment {name: $segment})
DETACH DELETE segment
RETURN count(*) AS deleted
