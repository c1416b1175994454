// Records in quarantine for one reason, in order of number.
// $code string
// $after integer: the number before the first
// $limit integer
// returns: number, run_id, source, loader, line, offset, code, message, record, time
MATCH (quarantined:Quarantined)
USING INDEX SEEK quarantined:Quarantined(code, number)
WHERE quarantined.code = $code AND quarantined.number > $after
WITH quarantined ORDER BY quarantined.code, quarantined.number LIMIT $limit
OPTIONAL MATCH (run:Run {id: quarantined.run_id})
  USING INDEX SEEK run:Run(id)
RETURN quarantined.number AS number, quarantined.run_id AS run_id, run.source AS source, run.loader AS loader,
       quarantined.line AS line, quarantined.offset AS offset, quarantined.code AS code,
       quarantined.message AS message, quarantined.record AS record, quarantined.time AS time
       ORDER BY number
