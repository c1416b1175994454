// A load that did not come to its end.
// $fingerprint string: of what is loaded
// $loader string
// returns: run
MATCH (run:Run {fingerprint: $fingerprint})
  USING INDEX SEEK run:Run(fingerprint)
WHERE run.loader = $loader AND run.state <> 'DONE'
RETURN properties(run) AS run
