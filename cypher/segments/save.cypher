// Create or replace a segment; who is in it stays.
// $segment string: its name
// $properties map: description, condition, created
MERGE (segment:Segment {name: $segment})
  ON CREATE SET segment.size = 0
SET segment += $properties
