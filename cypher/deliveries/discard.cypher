// Delete messages that were set aside.
// $ids list<string>: without repeats
UNWIND $ids AS id
MATCH (letter:DeadLetter {id: id})
  USING INDEX SEEK letter:DeadLetter(id)
DELETE letter
