// Identifiers by number, with the person that each belongs to.
// $numbers list<integer>
// returns: number, namespace, value, person, since, pruned
UNWIND $numbers AS wanted
MATCH (identifier:Identifier {number: wanted})
  USING INDEX SEEK identifier:Identifier(number)
OPTIONAL MATCH (identifier)-[member:IDENTIFIES]->(person:Person)
RETURN identifier.number AS number, identifier.namespace AS namespace, identifier.value AS value,
       person.number AS person, coalesce(member.since, 0) AS since, identifier.pruned AS pruned
