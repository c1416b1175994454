// Devices that several persons share, those of most persons first: each with what it was seen with, and whose that is.
// $namespace string: the kind of the devices; those that join nobody are among the hubs
// $limit integer: how many devices
// :param namespace => 'device_id'
// :param limit => 10
// returns: device, persons, path
MATCH (device:Identifier) USING INDEX SEEK device:Identifier(key)
WHERE device.key STARTS WITH $namespace + ':' AND device.pruned IS NULL
MATCH path = (device)-[:SEEN_WITH]-(:Identifier)-[:IDENTIFIES]->(person:Person)
WITH device, count(DISTINCT person) AS persons, collect(path) AS paths WHERE persons > 1
WITH device, persons, paths ORDER BY persons DESC, device.key LIMIT $limit
UNWIND paths AS path
RETURN device.key AS device, persons, path
