// Delete records from quarantine, and say what they held.
// $numbers list<integer>: of records
// returns: records
UNWIND $numbers AS number
MATCH (quarantined:Quarantined {number: number})
  USING INDEX SEEK quarantined:Quarantined(number)
WITH quarantined, quarantined.record AS record
DELETE quarantined
RETURN collect(record) AS records
