// The strongest path between two identifiers: the shortest of those whose weakest link was seen most often.
// How often is compared in powers of two; a link that was stated is the strongest. No way leads over what joins nobody,
// nor over two that were stated to be two persons. Cypher knows counts alone: `identity-graph explain` weighs links.
// $from string: key of an identifier
// $to string: key of another
// :param from => 'anonymous_id:197d69ba-a5e9-7c42-807d-93dddd33cf9d'
// :param to => 'loyalty_id:LC13833979'
// returns: path, least
MATCH (start:Identifier {key: $from})
  USING INDEX SEEK start:Identifier(key)
MATCH (end:Identifier {key: $to})
  USING INDEX SEEK end:Identifier(key)
WHERE start <> end
UNWIND [exponent IN range(0, 16) | toInteger(2 ^ exponent)] AS least
MATCH path = shortestPath((start)-[:SEEN_WITH|SAME_PERSON*..15]-(end))
WHERE all(node IN nodes(path) WHERE node.pruned IS NULL)
  AND all(link IN relationships(path) WHERE (
    link.count IS NULL OR link.count >= least OR reduce(events = 0, count IN COLLECT {
      WITH startNode(link) AS a, endNode(link) AS b
      MATCH (a)-[seen:SEEN_WITH]-(b)
      RETURN seen.count
    } | events + count) >= least
  ) AND NOT EXISTS {
    WITH startNode(link) AS a, endNode(link) AS b
    MATCH (a)-[apart:NOT_SAME_PERSON]-(b)
    WHERE NOT EXISTS { MATCH (a)-[same:SAME_PERSON]-(b) WHERE same.time > apart.time }
  })
RETURN path, least ORDER BY least DESC LIMIT 1
