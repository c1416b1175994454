// The runs before one, newest first.
// $before string: id of a run
// $limit integer
// returns: run
MATCH (later:Run {id: $before})
  USING INDEX SEEK later:Run(id)
MATCH (run:Run)
  USING INDEX SEEK run:Run(started)
WHERE run.started <= later.started AND (run.started < later.started OR run.id < later.id)
WITH run ORDER BY run.started DESC, run.id DESC LIMIT $limit
RETURN properties(run) AS run ORDER BY run.started DESC, run.id DESC
