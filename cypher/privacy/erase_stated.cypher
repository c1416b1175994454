// Delete what erased events stated.
// $rows list<list>: a, b, event; numbers
UNWIND $rows AS row
MATCH (a:Identifier {number: row[0]})-[stated:SAME_PERSON]->(b:Identifier {number: row[1]})
  USING INDEX SEEK a:Identifier(number) USING INDEX SEEK b:Identifier(number)
WHERE stated.event = row[2]
DELETE stated
