// The latest time of any event.
// returns: time
MATCH (event:Event) WHERE event.time IS NOT NULL
RETURN event.time AS time ORDER BY time DESC LIMIT 1
