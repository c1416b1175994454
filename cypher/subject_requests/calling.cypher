// The next requests of which a controller is to be told, the first due first.
// $until integer: a time
// $limit integer
// returns: request
MATCH (asked:SubjectRequest)
  USING INDEX SEEK asked:SubjectRequest(call_due)
WHERE asked.call_due <= $until
RETURN asked.request AS request ORDER BY asked.call_due, asked.id LIMIT $limit
