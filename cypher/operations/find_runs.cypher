// Runs by id.
// $ids list<string>: without repeats
// returns: run
UNWIND $ids AS id
MATCH (run:Run {id: id})
  USING INDEX SEEK run:Run(id)
RETURN properties(run) AS run
