// Requests to erase that are neither done nor refused, in order of id.
// returns: request
MATCH (erasure:Erasure {open: true})
  USING INDEX SEEK erasure:Erasure(open)
RETURN erasure.request AS request ORDER BY erasure.id
