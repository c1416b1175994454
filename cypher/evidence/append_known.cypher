// Of event ids: the contents of those that are stored.
// $ids list<string>
// returns: ids, contents
UNWIND $ids AS id
MATCH (event:Event {id: id})
  USING INDEX SEEK event:Event(id)
RETURN collect(event.id) AS ids, collect(event.content) AS contents
