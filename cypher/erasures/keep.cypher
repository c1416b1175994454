// Keep requests to erase; `open` is absent from those that are done, and `batch` from those that came alone.
// $rows list<list>: id, whether it is open or null, batch or null, line, an ErasureRequest in JSON
UNWIND $rows AS row
MERGE (erasure:Erasure {id: row[0]})
SET erasure.open = row[1], erasure.batch = row[2], erasure.line = row[3], erasure.request = row[4]
