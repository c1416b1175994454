// Take hold of the store until the transaction ends, so that writers take turns; the properties are read after that.
// $token string: of this transaction, to be found after a commit whose outcome is unknown
// returns: properties
MATCH (store:Store {name: 'identity-graph'})
SET store.writer = $token
WITH store
SET store.commits = store.commits + 1, store.recent = ([$token] + coalesce(store.recent, []))[..50]
RETURN properties(store) AS properties
