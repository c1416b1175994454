// Whether the server has Graph Data Science; no row where there is none.
// returns: name
SHOW FUNCTIONS YIELD name WHERE name = 'gds.version' RETURN name
