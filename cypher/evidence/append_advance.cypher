// Move a run on, if it is where it was.
// $id string: of the run
// $position integer: how many records were done with
// $read integer: how many were read
// $after map: what the run counts now
// returns: moved
OPTIONAL MATCH (run:Run {id: $id})
  USING INDEX SEEK run:Run(id)
WHERE run.state = 'RUNNING' AND run.position = $position AND run.read = $read
SET run += $after
RETURN run IS NOT NULL AS moved
