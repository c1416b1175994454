// Messages that did not arrive, by id.
// $ids list<string>: without repeats
// returns: parcel
UNWIND $ids AS id
MATCH (letter:DeadLetter {id: id})
  USING INDEX SEEK letter:DeadLetter(id)
RETURN letter.parcel AS parcel
