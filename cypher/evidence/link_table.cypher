// Links whose lower end is in a range of numbers, one row a source, as columns.
// $after integer: the number before the first
// $upto integer: the last number
// returns: a, b, sources, counts, first_seen, last_seen
MATCH (a:Identifier)
  USING INDEX SEEK a:Identifier(number)
WHERE a.number > $after AND a.number <= $upto
MATCH (a)-[link:SEEN_WITH]->(b)
RETURN collect(a.number) AS a, collect(b.number) AS b, collect(link.source) AS sources, collect(link.count) AS counts,
       collect(link.first_seen) AS first_seen, collect(link.last_seen) AS last_seen
