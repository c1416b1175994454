// How many keyed hashes there are.
// returns: buried
RETURN COUNT { (:Tombstone) } AS buried
