// The newest runs, newest first.
// $limit integer
// returns: run
MATCH (run:Run) WHERE run.started IS NOT NULL
WITH run ORDER BY run.started DESC, run.id DESC LIMIT $limit
RETURN properties(run) AS run ORDER BY run.started DESC, run.id DESC
