// Persons by id, live and retired, as columns; the survivor of who is live is 0.
// $ids list<string>: without repeats
// returns: numbers, ids, created, updated, survivors
UNWIND $ids AS id
MATCH (person:Person|Retired {id: id})
OPTIONAL MATCH (person)-[:MERGED_INTO]->(survivor)
RETURN collect(person.number) AS numbers, collect(id) AS ids, collect(person.created) AS created,
       collect(person.updated) AS updated, collect(coalesce(survivor.number, 0)) AS survivors
