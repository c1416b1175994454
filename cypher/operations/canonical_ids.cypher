// Ids of the events of a range of numbers, as columns.
// $after integer: the number before the first
// $upto integer: the last number
// returns: ids, numbers
MATCH (event:Event)
  USING INDEX SEEK event:Event(number)
WHERE event.number > $after AND event.number <= $upto
RETURN collect(event.id) AS ids, collect(event.number) AS numbers
