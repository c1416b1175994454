// The highest number in quarantine.
// returns: number
MATCH (quarantined:Quarantined)
  USING INDEX SEEK quarantined:Quarantined(number)
WHERE quarantined.number > 0
RETURN coalesce(max(quarantined.number), 0) AS number
