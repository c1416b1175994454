// What the store knows of itself.
// returns: properties
MATCH (store:Store {name: 'identity-graph'}) RETURN properties(store) AS properties
