// What the store knows of itself.
// returns: properties
MATCH (store:Store) RETURN properties(store) AS properties
