// Delete records from quarantine.
// $numbers list<integer>: of records
UNWIND $numbers AS number
MATCH (quarantined:Quarantined {number: number})
DELETE quarantined
