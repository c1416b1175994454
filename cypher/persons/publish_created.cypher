// New persons.
// $rows list<list>: number, id, created, updated
// $edition integer: the one that touches them
UNWIND $rows AS row
CREATE (:Person {number: row[0], id: row[1], created: row[2], updated: row[3], edition: $edition})
