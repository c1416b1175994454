// Take persons out of their segments.
// $numbers list<integer>: of persons
// returns: name, ids
UNWIND $numbers AS number
MATCH (person:Person {number: number})-[member:MEMBER_OF]->(segment:Segment)
USING INDEX SEEK person:Person(number)
DELETE member
WITH segment, collect(person.id) AS ids
SET segment.size = segment.size - size(ids)
RETURN segment.name AS name, ids
