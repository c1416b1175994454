// Delete events, and say what they were.
// $numbers list<integer>: of events
// returns: ids, numbers, identifiers, sources, stated
UNWIND $numbers AS number
MATCH (event:Event {number: number})
  USING INDEX SEEK event:Event(number)
WITH event, event.id AS id, event.number AS number, coalesce(event.identifiers, []) AS identifiers, event.source AS source,
     coalesce(event.stated, []) AS stated
DETACH DELETE event
RETURN collect(id) AS ids, collect(number) AS numbers, collect(identifiers) AS identifiers, collect(source) AS sources,
       collect(stated) AS stated
