// Links that a limit kept from joining, those seen most often first: the reason, and the persons at both ends.
// $limit integer
// :param limit => 25
// returns: path, reason, events
MATCH path = (:Person)<-[:IDENTIFIES]-(a:Identifier)-[link:SUPPRESSED]->(b:Identifier)-[:IDENTIFIES]->(:Person)
CALL (a, b) {
  MATCH (a)-[seen:SEEN_WITH]-(b)
  RETURN sum(seen.count) AS events
}
RETURN path, link.message AS reason, events
ORDER BY events DESC, a.key, b.key LIMIT $limit
