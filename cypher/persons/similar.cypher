// Similar links that end in identifiers, as columns; once for each end that is asked for.
// $numbers list<integer>: of identifiers, without repeats
// returns: numbers, a, b, weights, last_seen, shared
UNWIND $numbers AS number
MATCH (identifier:Identifier {number: number})-[link:SIMILAR]-()
USING INDEX SEEK identifier:Identifier(number)
RETURN collect(number) AS numbers, collect(startNode(link).number) AS a, collect(endNode(link).number) AS b,
       collect(link.weight) AS weights, collect(link.last_seen) AS last_seen, collect(link.shared) AS shared
