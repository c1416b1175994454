// The next requests to erase, in order of id.
// $after string: an id, or empty
// $limit integer
// returns: request
MATCH (erasure:Erasure)
  USING INDEX SEEK erasure:Erasure(id)
WHERE erasure.id > $after
RETURN erasure.request AS request ORDER BY erasure.id LIMIT $limit
