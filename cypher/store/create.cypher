// Make the node of an empty store; where there is one, it is left as it is.
// $id string: of the store, by which the key of its tombstones is found
// $version integer: of the graph model
MERGE (store:Store {name: 'identity-graph'})
ON CREATE SET store.id = $id, store.version = $version, store.commits = 0, store.published = 0
