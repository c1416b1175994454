// Of keys: the numbers of the identifiers that are stored.
// $keys list<string>: namespace:value
// returns: keys, numbers
UNWIND $keys AS key
MATCH (identifier:Identifier {key: key})
  USING INDEX SEEK identifier:Identifier(key)
RETURN collect(identifier.key) AS keys, collect(identifier.number) AS numbers
