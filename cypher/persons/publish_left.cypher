// Take persons out of their segments.
// $numbers list<integer>: of persons
UNWIND $numbers AS number
MATCH (person:Person {number: number})-[member:MEMBER_OF]->(segment:Segment)
  USING INDEX SEEK person:Person(number)
DELETE member
WITH segment, count(*) AS left
SET segment.size = segment.size - left
