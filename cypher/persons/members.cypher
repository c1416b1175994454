// The identifiers of persons, as columns; who is not pruned has an empty text there.
// $persons list<integer>: numbers, without repeats
// returns: persons, numbers, namespaces, values, since, pruned
UNWIND $persons AS person
MATCH (owner:Person {number: person})<-[member:IDENTIFIES]-(identifier:Identifier)
  USING INDEX SEEK owner:Person(number)
RETURN collect(person) AS persons, collect(identifier.number) AS numbers, collect(identifier.namespace) AS namespaces,
       collect(identifier.value) AS values, collect(member.since) AS since,
       collect(coalesce(identifier.pruned, '')) AS pruned
