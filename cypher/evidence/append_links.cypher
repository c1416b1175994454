// Count the links of a batch, one row a pair and source.
// $rows list<list>: a, b, source, count, first seen, last seen; a < b, in this order
UNWIND $rows AS row
MATCH (a:Identifier {number: row[0]})
  USING INDEX SEEK a:Identifier(number)
MATCH (b:Identifier {number: row[1]})
  USING INDEX SEEK b:Identifier(number)
MERGE (a)-[link:SEEN_WITH {source: row[2]}]->(b)
ON CREATE SET link.count = row[3], link.first_seen = row[4], link.last_seen = row[5]
ON MATCH SET link.count = link.count + row[3],
  link.first_seen = CASE WHEN row[4] < link.first_seen THEN row[4] ELSE link.first_seen END,
  link.last_seen = CASE WHEN row[5] > link.last_seen THEN row[5] ELSE link.last_seen END
