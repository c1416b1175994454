// Changes in order of number.
// $after integer: the number before the first
// $kinds list<string>: null for all
// $limit integer
// returns: change
MATCH (change:Change)
  USING INDEX SEEK change:Change(number)
WHERE change.number > $after AND ($kinds IS NULL OR change.kind IN $kinds)
WITH change ORDER BY change.number LIMIT $limit
RETURN properties(change) AS change ORDER BY change.number
