// Persons by number, live and retired, as columns; the survivor of who is live is 0.
// $numbers list<integer>: without repeats
// returns: numbers, ids, created, updated, survivors
UNWIND $numbers AS number
MATCH (person:Person|Retired {number: number})
OPTIONAL MATCH (person)-[:MERGED_INTO]->(survivor)
RETURN collect(number) AS numbers, collect(person.id) AS ids, collect(person.created) AS created,
       collect(person.updated) AS updated, collect(coalesce(survivor.number, 0)) AS survivors
