// Keyed hashes of what was erased, in order.
// $after string: the hash before the first, hexadecimal
// $limit integer
// returns: hash
MATCH (tombstone:Tombstone)
  USING INDEX SEEK tombstone:Tombstone(hash)
WHERE tombstone.hash > $after
WITH tombstone ORDER BY tombstone.hash LIMIT $limit
RETURN tombstone.hash AS hash
