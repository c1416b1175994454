// Say how a run stands.
// $id string: of the run
// $run map: its properties
MATCH (run:Run {id: $id})
  USING INDEX SEEK run:Run(id)
SET run += $run
