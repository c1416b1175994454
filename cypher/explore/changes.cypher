// What resolutions changed of persons, newest first; not who entered and left segments.
// $since string: a time in ISO 8601; null for the latest resolution alone
// $limit integer: how many of the newest to look at
// :param since => null
// :param limit => 100
// returns: time, kind, person, from_ids, to_ids, cause, message, identifiers
MATCH (newest:Change) USING INDEX SEEK newest:Change(number)
WHERE newest.number > 0 AND newest.segment IS NULL
WITH newest ORDER BY newest.number DESC LIMIT 1
WITH coalesce(datetime($since).epochMillis * 1000, newest.time) AS since
MATCH (change:Change) USING INDEX SEEK change:Change(number)
WHERE change.number > 0 AND change.segment IS NULL
WITH change, since ORDER BY change.number DESC LIMIT $limit
WHERE change.time >= since
OPTIONAL MATCH (person:Person {id: change.person_id})
  USING INDEX SEEK person:Person(id)
RETURN datetime({epochMillis: change.time / 1000}) AS time, change.kind AS kind, change.person_id AS person,
       change.from_ids AS from_ids, change.to_ids AS to_ids, change.cause AS cause, change.message AS message,
       COLLECT { MATCH (person)<-[:IDENTIFIES]-(one:Identifier) RETURN one.key ORDER BY one.key } AS identifiers
ORDER BY change.number DESC
