// Requests of controllers, by id.
// $ids list<string>: without repeats
// returns: request
UNWIND $ids AS id
MATCH (asked:SubjectRequest {id: id})
  USING INDEX SEEK asked:SubjectRequest(id)
RETURN asked.request AS request
