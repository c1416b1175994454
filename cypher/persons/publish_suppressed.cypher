// Suppressed links with their reasons; one that is there gets the new reason.
// $rows list<list>: a, b, code, message, namespace or null, values; numbers, a < b, in this order
UNWIND $rows AS row
MATCH (a:Identifier {number: row[0]})
  USING INDEX SEEK a:Identifier(number)
MATCH (b:Identifier {number: row[1]})
  USING INDEX SEEK b:Identifier(number)
MERGE (a)-[link:SUPPRESSED]->(b)
SET link.code = row[2], link.message = row[3], link.namespace = row[4], link.values = row[5]
