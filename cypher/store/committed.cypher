// Whether a transaction was committed; of the latest fifty.
// $token string: of the transaction
// returns: committed
MATCH (store:Store {name: 'identity-graph'}) RETURN $token IN store.recent AS committed
