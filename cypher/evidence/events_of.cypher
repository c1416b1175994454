// The events that saw identifiers, each once, with those by which it was found.
// $numbers list<integer>: of identifiers
// returns: found, event, identifiers
UNWIND $numbers AS number
MATCH (identifier:Identifier {number: number})<-[:OBSERVED]-(event:Event)
  USING INDEX SEEK identifier:Identifier(number)
WITH event, collect(number) AS found
RETURN found, properties(event) AS event,
       [(event)-[:OBSERVED]->(seen) | [seen.number, seen.namespace, seen.value]] AS identifiers
