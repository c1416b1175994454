// All segments, by name.
// returns: segment
MATCH (segment:Segment) WHERE segment.name IS NOT NULL
RETURN properties(segment) AS segment ORDER BY segment.name
