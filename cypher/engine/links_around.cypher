// Links that touch any of these identifiers, one row a source, as columns.
// $numbers list<integer>: of identifiers
// returns: a, b, sources, counts, first_seen, last_seen
UNWIND $numbers AS number
MATCH (identifier:Identifier {number: number})-[link:SEEN_WITH]-()
  USING INDEX SEEK identifier:Identifier(number)
WITH DISTINCT link
RETURN collect(startNode(link).number) AS a, collect(endNode(link).number) AS b, collect(link.source) AS sources,
       collect(link.count) AS counts, collect(link.first_seen) AS first_seen, collect(link.last_seen) AS last_seen
