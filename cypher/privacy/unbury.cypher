// Forget keyed hashes: what they are of may come back.
// $hashes list<string>: hexadecimal, without repeats
UNWIND $hashes AS hash
MATCH (tombstone:Tombstone {hash: hash})
  USING INDEX SEEK tombstone:Tombstone(hash)
DELETE tombstone
