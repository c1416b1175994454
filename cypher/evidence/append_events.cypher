// New events and what each of them saw.
// $events list<map>: the properties of each, in order of number
UNWIND $events AS properties
CREATE (event:Event)
SET event = properties
WITH event
UNWIND event.identifiers AS number
MATCH (identifier:Identifier {number: number})
  USING INDEX SEEK identifier:Identifier(number)
CREATE (event)-[:OBSERVED]->(identifier)
