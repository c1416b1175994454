// Events of a range of numbers, in order of number.
// $after integer: the number before the first
// $upto integer: the last number
// returns: events
MATCH (event:Event)
  USING INDEX SEEK event:Event(number)
WHERE event.number > $after AND event.number <= $upto
WITH event ORDER BY event.number
RETURN collect([event.number, event.id, event.time, event.source, event.name, event.received,
                coalesce(event.identifiers, []), coalesce(event.stated, []), event.traits, event.properties]) AS events
