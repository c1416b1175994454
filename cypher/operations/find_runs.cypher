// Runs by id.
// $ids list<string>: without repeats
// returns: run
UNWIND $ids AS id
MATCH (run:Run {id: id})
RETURN properties(run) AS run
