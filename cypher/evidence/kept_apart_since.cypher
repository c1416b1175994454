// What later events state of pairs of identifiers.
// $number integer: of an event
// returns: stated
MATCH (event:Event)
  USING INDEX SEEK event:Event(number)
WHERE event.number > $number AND event.stated IS NOT NULL
RETURN collect(event.stated) AS stated
