// Make the two nodes of an empty store; where they are, they are left as they are, but have their constraints now.
// $id string: of the store, by which the key of its tombstones is found
// $version integer: of the graph model
MERGE (store:Store {name: 'identity-graph'})
ON CREATE SET store.id = $id, store.commits = 0
SET store.version = CASE WHEN coalesce(store.version, 0) < $version THEN $version ELSE store.version END
REMOVE store.unindexed
MERGE (moment:Moment {name: 'identity-graph'})
ON CREATE SET moment.turn = 0
