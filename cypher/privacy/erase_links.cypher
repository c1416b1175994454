// Count links again from the events that are left; those of which none is left go.
// $rows list<list>: a, b, source; numbers, a < b
UNWIND $rows AS row
MATCH (a:Identifier {number: row[0]})-[link:SEEN_WITH {source: row[2]}]->(b:Identifier {number: row[1]})
USING INDEX SEEK a:Identifier(number)
USING INDEX SEEK b:Identifier(number)
CALL (a, b, link) {
  WITH a, b, link, CASE WHEN COUNT { (a)<-[:OBSERVED]-() } <= COUNT { (b)<-[:OBSERVED]-() } THEN [a, b] ELSE [b, a] END AS ends
  WITH a, b, link, ends[0] AS near, ends[1] AS far
  // By its label the planner could find it too, and would walk along all events.
  MATCH (near)<-[:OBSERVED]-(event)
  WHERE event.source = link.source AND NOT event:Wide AND EXISTS { (event)-[:OBSERVED]->(far) }
    AND NOT EXISTS { (a)-[:NOT_SAME_PERSON {event: event.number}]->(b) }
  RETURN count(event) AS events, min(event.time) AS first_seen, max(event.time) AS last_seen
}
FOREACH (_ IN CASE WHEN events > 0 THEN [1] ELSE [] END |
  SET link.count = events, link.first_seen = first_seen, link.last_seen = last_seen)
FOREACH (_ IN CASE WHEN events = 0 THEN [1] ELSE [] END | DELETE link)
