// The next requests of a batch, in order of line.
// $batch string: its id
// $after integer: the line before the first
// $limit integer
// returns: request
MATCH (erasure:Erasure)
  USING INDEX SEEK erasure:Erasure(batch, line)
WHERE erasure.batch = $batch AND erasure.line > $after
RETURN erasure.request AS request ORDER BY erasure.line LIMIT $limit
