// Project the links that join into the catalogue of Graph Data Science, weighed as resolve/weights.py weighs them. The
// nodes are named by the numbers of their identifiers.
// $graph string: the name in the catalogue
// $pruned list<integer>: numbers of identifiers that join nobody
// $doubt map: by source, the logarithm of the doubt that one observation leaves
// $trust map: by namespace
// $half_life map: by namespace, microseconds; of those whose evidence ages
// $expires map: by namespace, microseconds; of those whose evidence expires
// $now integer: the time that evidence ages to
// $least float: the weakest weight that joins
// $more list<list>: further links that join, a and b
// returns: nodes, links
CALL () {
  MATCH (a:Identifier)
    USING INDEX SEEK a:Identifier(number)
  WHERE a.number > 0 AND NOT a.number IN $pruned
  CALL (a) {
    MATCH (a)-[link:SEEN_WITH]->(b) WHERE NOT b.number IN $pruned
    WITH b, link,
         CASE WHEN $expires[b.namespace] IS NULL OR $expires[a.namespace] < $expires[b.namespace]
              THEN $expires[a.namespace] ELSE $expires[b.namespace] END AS expires,
         CASE WHEN $half_life[b.namespace] IS NULL OR $half_life[a.namespace] < $half_life[b.namespace]
              THEN $half_life[a.namespace] ELSE $half_life[b.namespace] END AS half_life
    WHERE expires IS NULL OR link.last_seen >= $now - expires
    WITH b, sum(link.count * $doubt[link.source] *
                CASE WHEN half_life IS NULL OR link.last_seen >= $now THEN 1.0
                     ELSE 2.0 ^ (-(toFloat($now - link.last_seen) / half_life)) END) AS doubt
    WHERE round($trust[a.namespace] * $trust[b.namespace] * (1.0 - exp(doubt)), 12) >= $least
    RETURN b.number AS to
  }
  RETURN a.number AS from, to
UNION ALL
  UNWIND $more AS pair
  RETURN pair[0] AS from, pair[1] AS to
}
WITH gds.graph.project($graph, from, to, {}, {undirectedRelationshipTypes: ['*']}) AS projected
RETURN projected.nodeCount AS nodes, projected.relationshipCount AS links
