// Identifiers that join nobody; they leave their persons.
// $rows list<list>: number, code
UNWIND $rows AS row
MATCH (identifier:Identifier {number: row[0]})
  USING INDEX SEEK identifier:Identifier(number)
SET identifier.pruned = row[1]
WITH identifier
MATCH (identifier)-[member:IDENTIFIES]->()
DELETE member
