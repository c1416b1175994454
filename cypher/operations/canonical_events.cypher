// Events as they are told apart, in the order of their numbers as given.
// $numbers list<integer>
// returns: events
UNWIND range(0, size($numbers) - 1) AS place
MATCH (event:Event {number: $numbers[place]})
  USING INDEX SEEK event:Event(number)
WITH event, place ORDER BY place
RETURN collect([event.id, event.time, event.source, event.name,
                [(event)-[:OBSERVED]->(seen) | [seen.number, seen.key]], coalesce(event.stated, []),
                event.traits, event.properties]) AS events
