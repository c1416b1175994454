// Keep keyed hashes of what was erased.
// $hashes list<string>: hexadecimal, without repeats
UNWIND $hashes AS hash
MERGE (:Tombstone {hash: hash})
