// Runs in order of id.
// $after string: the id before the first
// $limit integer
// returns: run
MATCH (run:Run)
  USING INDEX SEEK run:Run(id)
WHERE run.id > $after
WITH run ORDER BY run.id LIMIT $limit
RETURN properties(run) AS run
