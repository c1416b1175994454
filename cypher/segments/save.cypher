// Create or replace a segment, empty.
// $segment string: its name
// $properties map: description, condition, created
MERGE (segment:Segment {name: $segment})
SET segment += $properties, segment.size = 0
WITH segment
MATCH (segment)<-[member:MEMBER_OF]-()
DELETE member
