// What the events saw that saw any of these identifiers, as columns.
// $numbers list<integer>: of identifiers
// returns: events, times, sources, identifiers
UNWIND $numbers AS number
MATCH (identifier:Identifier {number: number})<-[:OBSERVED]-(event:Event)
USING INDEX SEEK identifier:Identifier(number)
WITH DISTINCT event
RETURN collect(event.number) AS events, collect(event.time) AS times, collect(event.source) AS sources,
       collect(coalesce(event.identifiers, [])) AS identifiers
