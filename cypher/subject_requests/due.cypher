// The next requests of controllers for which something is to be done, the first due first.
// $until integer: a time
// $limit integer
// returns: request
MATCH (asked:SubjectRequest)
  USING INDEX SEEK asked:SubjectRequest(due)
WHERE asked.due <= $until
RETURN asked.request AS request ORDER BY asked.due, asked.id LIMIT $limit
