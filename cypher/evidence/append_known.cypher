// Of event ids: the times and the digests of the contents of those that are stored.
// $ids list<string>
// returns: ids, times, contents
UNWIND $ids AS id
MATCH (event:Event {id: id})
  USING INDEX SEEK event:Event(id)
RETURN collect(event.id) AS ids, collect(event.time) AS times, collect(event.content) AS contents
