// The identifiers of persons, as columns; who is not pruned has an empty text there.
// $persons list<integer>: numbers, without repeats
// returns: persons, numbers, namespaces, values, since, pruned
UNWIND $persons AS number
MATCH (person:Person {number: number})<-[member:IDENTIFIES]-(identifier:Identifier)
USING INDEX SEEK person:Person(number)
RETURN collect(number) AS persons, collect(identifier.number) AS numbers, collect(identifier.namespace) AS namespaces,
       collect(identifier.value) AS values, collect(member.since) AS since,
       collect(coalesce(identifier.pruned, '')) AS pruned
