// Keep what a transaction changed of the store's own properties.
// $changed map: properties
MATCH (store:Store {name: 'identity-graph'}) SET store += $changed
