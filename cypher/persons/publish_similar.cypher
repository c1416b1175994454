// Links between identifiers that were seen with the same others.
// $rows list<list>: a, b, weight, time when last seen, numbers of the shared identifiers; a < b, in this order, a pair once
UNWIND $rows AS row
MATCH (a:Identifier {number: row[0]})
  USING INDEX SEEK a:Identifier(number)
MATCH (b:Identifier {number: row[1]})
  USING INDEX SEEK b:Identifier(number)
CREATE (a)-[:SIMILAR {weight: row[2], last_seen: row[3], shared: row[4]}]->(b)
