// Project who was seen with which neighbours into the catalogue of Graph Data Science, as resolve/similar_links.py has
// it: of several namespaces a neighbour is one identifier of each, all seen with each other. Who is compared is named by
// the number of the identifier; a neighbour by its numbers, in order of their namespaces, as the digits of one.
// $graph string: the name in the catalogue
// $type string: of the relationships
// $between list<string>: namespaces of whom are compared
// $by list<string>: namespaces of neighbours
// $nobody list<integer>: numbers of identifiers that mean nobody
// $expires map: by namespace, microseconds; of those whose evidence expires
// $now integer: the time that evidence ages to
// $beside map: by number as a text, numbers of others that count as seen with it, besides those that links tell
// $base integer: of the digits; more than any number
// $most integer: who has more neighbours of a namespace is not compared, and a neighbour of more is none
// returns: nodes, links
MATCH (a:Identifier)
  USING INDEX SEEK a:Identifier(number)
WHERE a.number > 0 AND a.namespace IN $between AND NOT a.number IN $nobody
CALL (a) {
  CALL (a) {
    MATCH (a)-[link:SEEN_WITH]-(b)
    WHERE b.namespace IN $by AND NOT b.number IN $nobody
      AND coalesce(link.last_seen >= $now - $expires[a.namespace], true)
      AND coalesce(link.last_seen >= $now - $expires[b.namespace], true)
    RETURN b
  UNION
    UNWIND $beside[toString(a.number)] AS number
    MATCH (b:Identifier {number: number})
      USING INDEX SEEK b:Identifier(number)
    WHERE b.namespace IN $by
    RETURN b
  }
  WITH b.namespace AS namespace, collect(b) AS own ORDER BY namespace
  WITH collect(own) AS kinds
  WHERE size(kinds) = size($by) AND all(own IN kinds WHERE size(own) <= $most)
  UNWIND reduce(found = [[]], own IN kinds | reduce(longer = [], part IN found |
    longer + [b IN own WHERE all(one IN part WHERE b.number IN $beside[toString(one.number)] OR EXISTS {
      MATCH (one)-[link:SEEN_WITH]-(b)
      WHERE coalesce(link.last_seen >= $now - $expires[one.namespace], true)
        AND coalesce(link.last_seen >= $now - $expires[b.namespace], true)
    }) | part + b]
  )) AS neighbour
  RETURN reduce(name = 0, one IN neighbour | name * $base + one.number) AS name
}
WITH name, collect(a.number) AS sharing
WHERE size(sharing) <= $most
UNWIND sharing AS number
WITH number, name, size(sharing) AS shared_by
WITH gds.graph.project($graph, number, name, {
  relationshipType: $type, relationshipProperties: {shared_by: shared_by, weight: 1.0 / log(1 + shared_by)}
}) AS projected
RETURN projected.nodeCount AS nodes, projected.relationshipCount AS links
