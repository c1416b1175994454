// Numbers of the next events, and how many characters their traits and properties take, in order of number.
// $after integer: the number before the first
// $limit integer
// returns: numbers, characters
MATCH (event:Event)
  USING INDEX SEEK event:Event(number)
WHERE event.number > $after
WITH event ORDER BY event.number LIMIT $limit
RETURN collect(event.number) AS numbers,
       collect(size(coalesce(event.traits, '')) + size(coalesce(event.properties, ''))) AS characters
