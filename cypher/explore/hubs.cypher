// Identifiers that join nobody, those seen with most others first: with how many, of which kinds, of how many persons.
// $reason string: HUB, BLOCKED or NOT_JOINING
// $limit integer
// :param reason => 'HUB'
// :param limit => 25
// returns: hub, identifiers, kinds, persons
MATCH (hub:Identifier {pruned: $reason})
  USING INDEX SEEK hub:Identifier(pruned)
WITH hub ORDER BY COUNT { (hub)-[:SEEN_WITH]-() } DESC, hub.key LIMIT $limit
CALL (hub) {
  MATCH (hub)-[:SEEN_WITH]-(seen:Identifier)
  WITH seen.namespace AS namespace, count(DISTINCT seen) AS size ORDER BY size DESC, namespace
  RETURN sum(size) AS identifiers, collect(toString(size) + ' ' + namespace) AS kinds
}
CALL (hub) {
  MATCH (hub)-[:SEEN_WITH]-(:Identifier)-[:IDENTIFIES]->(person:Person)
  RETURN count(DISTINCT person) AS persons
}
RETURN hub.key AS hub, identifiers, kinds, persons
ORDER BY identifiers DESC, hub
