// Segments by name.
// $names list<string>: without repeats
// returns: segment
UNWIND $names AS name
MATCH (segment:Segment {name: name})
  USING INDEX SEEK segment:Segment(name)
RETURN properties(segment) AS segment
