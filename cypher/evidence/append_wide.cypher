// Events that saw too many identifiers to link every two of them.
// $numbers list<integer>: of events
UNWIND $numbers AS number
MATCH (event:Event {number: number})
  USING INDEX SEEK event:Event(number)
SET event:Wide
