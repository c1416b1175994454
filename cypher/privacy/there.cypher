// How many keyed hashes and how many events there are.
// returns: tombstones, events
RETURN COUNT { (:Tombstone) } AS tombstones, COUNT { (:Event) } AS events
