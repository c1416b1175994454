// Stated pairs that touch any of these identifiers.
// $numbers list<integer>: of identifiers
// returns: pairs
UNWIND $numbers AS number
MATCH (identifier:Identifier {number: number})-[stated:SAME_PERSON]-()
  USING INDEX SEEK identifier:Identifier(number)
RETURN collect(DISTINCT [startNode(stated).number, endNode(stated).number]) AS pairs
