// How many persons are live.
// returns: persons
MATCH (person:Person) RETURN count(person) AS persons
