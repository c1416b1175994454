// Whether a transaction was committed, looked up when it is sure to have ended: it holds the store until then.
// $token string: of the transaction
// $commits integer: what the store counted in it
// returns: committed
MATCH (store:Store {name: 'identity-graph'})
SET store.writer = $token
WITH store, coalesce(store.recent, []) AS recent
RETURN CASE
  WHEN $token IN recent THEN true
  WHEN store.commits < $commits + size(recent) THEN false
END AS committed
