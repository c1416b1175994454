// New persons.
// $rows list<list>: number, id
// $time integer
UNWIND $rows AS row
CREATE (:Person {number: row[0], id: row[1], created: $time, updated: $time})
