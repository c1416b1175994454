// Keep requests of controllers; `due` and `call_due` are absent where nothing is to be done or told.
// $rows list<list>: id, due or null, call_due or null, a SubjectRequest in JSON
UNWIND $rows AS row
MERGE (asked:SubjectRequest {id: row[0]})
SET asked.due = row[1], asked.call_due = row[2], asked.request = row[3]
