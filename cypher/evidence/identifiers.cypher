// Identifiers by key, with the person that each belongs to.
// $keys list<string>: namespace:value
// returns: number, namespace, value, person, since, pruned
UNWIND $keys AS key
MATCH (identifier:Identifier {key: key})
  USING INDEX SEEK identifier:Identifier(key)
OPTIONAL MATCH (identifier)-[member:IDENTIFIES]->(person:Person)
RETURN identifier.number AS number, identifier.namespace AS namespace, identifier.value AS value,
       person.number AS person, coalesce(member.since, 0) AS since, identifier.pruned AS pruned
