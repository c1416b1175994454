// The identifiers that later events saw, and the last event number that was given.
// $number integer: of an event
// returns: identifiers, last
MATCH (store:Store {name: 'identity-graph'})
OPTIONAL MATCH (event:Event)
  USING INDEX SEEK event:Event(number)
WHERE event.number > $number
UNWIND coalesce(event.identifiers, [null]) AS identifier
RETURN collect(DISTINCT identifier) AS identifiers, coalesce(max(store.event), 0) AS last
