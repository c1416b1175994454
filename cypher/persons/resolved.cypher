// How far the last publication went, and by which rules.
// returns: event, policy
MATCH (store:Store {name: 'identity-graph'})
RETURN coalesce(store.resolved, 0) AS event, store.policy AS policy
