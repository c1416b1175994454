// Delete persons, those that were merged into them, and what is left of their memberships.
// $numbers list<integer>: of persons
UNWIND $numbers AS number
MATCH (person:Person|Retired {number: number})
OPTIONAL MATCH (earlier:Retired)-[:MERGED_INTO]->(person)
DETACH DELETE earlier, person
