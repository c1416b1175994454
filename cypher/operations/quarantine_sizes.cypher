// When records were set aside, and how large they are, in order of number.
// $after integer: the number before the first
// $limit integer
// returns: number, time, size
MATCH (quarantined:Quarantined)
  USING INDEX SEEK quarantined:Quarantined(number)
WHERE quarantined.number > $after
WITH quarantined ORDER BY quarantined.number LIMIT $limit
RETURN quarantined.number AS number, coalesce(quarantined.time, 0) AS time, coalesce(quarantined.size, 0) AS size
  ORDER BY number
