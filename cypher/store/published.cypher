// A number that grows with each publication and erasure.
// returns: published
MATCH (store:Store {name: 'identity-graph'}) RETURN store.published AS published
