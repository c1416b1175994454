// Keep messages that did not arrive.
// $rows list<list>: id, a Parcel in JSON
UNWIND $rows AS row
MERGE (letter:DeadLetter {id: row[0]})
SET letter.parcel = row[1]
