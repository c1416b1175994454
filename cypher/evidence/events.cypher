// Events by id.
// $ids list<string>
// returns: event, identifiers
UNWIND $ids AS id
MATCH (event:Event {id: id})
  USING INDEX SEEK event:Event(id)
RETURN properties(event) AS event,
       [(event)-[:OBSERVED]->(seen) | [seen.number, seen.namespace, seen.value]] AS identifiers
