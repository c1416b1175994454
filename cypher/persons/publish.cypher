// Say how far this publication went, and by which rules.
// $event integer: the last number taken into account
// $policy string: digest
MATCH (store:Store {name: 'identity-graph'})
SET store.resolved = $event, store.policy = $policy
