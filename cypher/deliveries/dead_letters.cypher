// The next messages that did not arrive, in order of id.
// $after string: an id, or empty
// $limit integer
// returns: parcel
MATCH (letter:DeadLetter)
  USING INDEX SEEK letter:DeadLetter(id)
WHERE letter.id > $after
RETURN letter.parcel AS parcel ORDER BY letter.id LIMIT $limit
