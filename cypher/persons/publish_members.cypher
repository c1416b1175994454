// Move identifiers to persons; who is there already stays since when it came.
// $rows list<list>: number of the identifier, number of the person, time; in this order, an identifier once
UNWIND $rows AS row
MATCH (identifier:Identifier {number: row[0]})
  USING INDEX SEEK identifier:Identifier(number)
MATCH (person:Person {number: row[1]})
  USING INDEX SEEK person:Person(number)
OPTIONAL MATCH (identifier)-[before:IDENTIFIES]->(owner)
WITH row, identifier, person, before, owner WHERE owner IS NULL OR owner <> person
DELETE before
CREATE (identifier)-[:IDENTIFIES {since: row[2]}]->(person)
