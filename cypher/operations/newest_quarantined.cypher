// The highest number in quarantine.
// returns: number
MATCH (quarantined:Quarantined) WHERE quarantined.number > 0
RETURN coalesce(max(quarantined.number), 0) AS number
