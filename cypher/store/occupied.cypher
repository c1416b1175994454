// Whether the database holds anything at all.
// returns: occupied
MATCH (node) RETURN count(node) > 0 AS occupied
