// Requests to erase, by id.
// $ids list<string>: without repeats
// returns: request
UNWIND $ids AS id
MATCH (erasure:Erasure {id: id})
  USING INDEX SEEK erasure:Erasure(id)
RETURN erasure.request AS request
