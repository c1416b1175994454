// Of keyed hashes: those that are buried.
// $hashes list<string>: hexadecimal
// returns: buried
UNWIND $hashes AS hash
MATCH (tombstone:Tombstone {hash: hash})
  USING INDEX SEEK tombstone:Tombstone(hash)
RETURN collect(tombstone.hash) AS buried
