// Of these marks those of records in quarantine.
// $marks list<integer>
// returns: marks
UNWIND $marks AS mark
MATCH (record:Quarantined {mark: mark})
  USING INDEX SEEK record:Quarantined(mark)
RETURN collect(DISTINCT mark) AS marks
