// What the events of a range of numbers saw, as columns.
// $after integer: the number before the first
// $upto integer: the last number
// returns: events, times, sources, identifiers
MATCH (event:Event)
  USING INDEX SEEK event:Event(number)
WHERE event.number > $after AND event.number <= $upto
RETURN collect(event.number) AS events, collect(event.time) AS times, collect(event.source) AS sources,
       collect(coalesce(event.identifiers, [])) AS identifiers
