// The next requests of controllers, in order of id.
// $after string: an id, or empty
// $limit integer
// returns: request
MATCH (asked:SubjectRequest)
  USING INDEX SEEK asked:SubjectRequest(id)
WHERE asked.id > $after
RETURN asked.request AS request ORDER BY asked.id LIMIT $limit
