// Links after one of them, in the order of their ids and as columns, one row a source: what the index of the type finds.
// $after integer: the id of the last one that is known; -1 for none
// $most integer: how many
// returns: last, a, b, sources, counts, first_seen, last_seen
MATCH (a)-[link:SEEN_WITH]->(b)
WHERE id(link) > $after
WITH a, link, b ORDER BY id(link) LIMIT $most
RETURN max(id(link)) AS last, collect(a.number) AS a, collect(b.number) AS b, collect(link.source) AS sources,
       collect(link.count) AS counts, collect(link.first_seen) AS first_seen, collect(link.last_seen) AS last_seen
