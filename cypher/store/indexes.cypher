// The names of all indexes, those of the constraints among them.
// returns: names
SHOW INDEXES YIELD name RETURN collect(name) AS names
