// Stated pairs that touch any of these identifiers.
// $numbers list<integer>: of identifiers
// returns: pairs
UNWIND $numbers AS number
MATCH (:Identifier {number: number})-[stated:SAME_PERSON]-()
RETURN collect(DISTINCT [startNode(stated).number, endNode(stated).number]) AS pairs
