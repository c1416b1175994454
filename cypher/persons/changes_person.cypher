// Changes of one person, in order of number.
// $person_id string
// $after integer: the number before the first
// $kinds list<string>: null for all
// $limit integer
// returns: change
MATCH (change:Change {person_id: $person_id})
USING INDEX SEEK change:Change(person_id)
WHERE change.number > $after AND ($kinds IS NULL OR change.kind IN $kinds)
WITH change ORDER BY change.number LIMIT $limit
RETURN properties(change) AS change ORDER BY change.number
