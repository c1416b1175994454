// Links of pairs of identifiers, one row a source, as columns.
// $pairs list<list>: numbers, the smaller first
// returns: a, b, sources, counts, first_seen, last_seen
UNWIND $pairs AS pair
MATCH (a:Identifier {number: pair[0]})-[link:SEEN_WITH]->(b:Identifier {number: pair[1]})
  USING INDEX SEEK a:Identifier(number) USING INDEX SEEK b:Identifier(number)
RETURN collect(pair[0]) AS a, collect(pair[1]) AS b, collect(link.source) AS sources, collect(link.count) AS counts,
       collect(link.first_seen) AS first_seen, collect(link.last_seen) AS last_seen
