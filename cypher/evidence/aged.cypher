// Events of a time before this one, in order of number.
// $before integer: microseconds since 1970
// $after integer: the number before the first
// $limit integer: how many
// returns: events
CALL () {
  MATCH (event:Event)
    USING INDEX SEEK event:Event(number)
  WHERE event.number > $after AND event.time < $before
  RETURN event ORDER BY event.number LIMIT $limit
}
WITH event ORDER BY event.number
RETURN collect([event.number, event.id, event.time, event.source, event.name]) AS events
