// How often, when and by whom identifiers were observed.
// $numbers list<integer>: of identifiers
// returns: number, first_seen, last_seen, observations, sources
UNWIND $numbers AS number
MATCH (identifier:Identifier {number: number})<-[:OBSERVED]-(event:Event)
  USING INDEX SEEK identifier:Identifier(number)
RETURN number, min(event.time) AS first_seen, max(event.time) AS last_seen, count(event) AS observations,
       collect(DISTINCT event.source) AS sources
