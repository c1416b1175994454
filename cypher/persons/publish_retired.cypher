// Retire persons that were merged; those merged into them before get the new survivor.
// $rows list<list>: number of the retired, number of the survivor
// $edition integer: the one that touches them
UNWIND $rows AS row
MATCH (person:Person {number: row[0]})
  USING INDEX SEEK person:Person(number)
MATCH (survivor:Person {number: row[1]})
  USING INDEX SEEK survivor:Person(number)
CREATE (person)-[:MERGED_INTO]->(survivor)
REMOVE person:Person
SET person:Retired, survivor.edition = $edition
WITH person, survivor
MATCH (earlier:Retired)-[before:MERGED_INTO]->(person)
DELETE before
CREATE (earlier)-[:MERGED_INTO]->(survivor)
