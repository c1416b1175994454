// Record a run.
// $run map: its properties
CREATE (run:Run)
SET run = $run
