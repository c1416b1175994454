// Pairs of identifiers that events state not to be one person.
// $rows list<list>: a, b, event, time; numbers, a < b
UNWIND $rows AS row
MATCH (a:Identifier {number: row[0]})
  USING INDEX SEEK a:Identifier(number)
MATCH (b:Identifier {number: row[1]})
  USING INDEX SEEK b:Identifier(number)
CREATE (a)-[:NOT_SAME_PERSON {event: row[2], time: row[3]}]->(b)
