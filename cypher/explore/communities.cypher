// What became of a component that was too large, beside its communities by Graph Data Science (Leiden over the events of
// links): of each community, how many identifiers went to which person. Where each row is a whole community, the ladder
// parted it there, too. The server must have Graph Data Science; the graph in its catalogue is dropped at the end.
// $key string: of any identifier of the component
// $graph string: a name that no graph in the catalogue has
// :param key => 'email:yusufcosta89188@gmail.com'
// :param graph => 'communities'
// returns: community, person, identifiers, keys
MATCH (start:Identifier {key: $key})
  USING INDEX SEEK start:Identifier(key)
MATCH (start)-[:IDENTIFIES|SUPPRESSED*0..]-(member:Identifier)
WITH collect(DISTINCT member) AS members
UNWIND members AS a
MATCH (a)-[link:SEEN_WITH]->(b) WHERE b IN members
WITH a, b, sum(link.count) AS events
WITH gds.graph.project($graph, a, b, {relationshipProperties: {events: events}}, {undirectedRelationshipTypes: ['*']})
  AS projected
WHERE projected.nodeCount > 0
CALL gds.leiden.stream($graph, {relationshipWeightProperty: 'events', randomSeed: 1, concurrency: 1})
YIELD nodeId, communityId
WITH collect({node: gds.util.asNode(nodeId), community: communityId}) AS found
CALL gds.graph.drop($graph, false) YIELD graphName
UNWIND found AS one
WITH one.node AS identifier, one.community AS community ORDER BY identifier.key
OPTIONAL MATCH (identifier)-[:IDENTIFIES]->(person:Person)
WITH community, person.id AS person, collect(identifier.key) AS keys
RETURN community, person, size(keys) AS identifiers, keys ORDER BY community, identifiers DESC, keys
