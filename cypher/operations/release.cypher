// Delete records from quarantine.
// $numbers list<integer>: of records
UNWIND $numbers AS number
MATCH (quarantined:Quarantined {number: number})
  USING INDEX SEEK quarantined:Quarantined(number)
DELETE quarantined
