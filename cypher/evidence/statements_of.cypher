// What events state of pairs that touch any of these identifiers, as columns.
// $numbers list<integer>: of identifiers
// returns: a, b, times, apart, events
UNWIND $numbers AS number
MATCH (identifier:Identifier {number: number})-[stated:SAME_PERSON|NOT_SAME_PERSON]-()
USING INDEX SEEK identifier:Identifier(number)
WITH DISTINCT stated
RETURN collect(startNode(stated).number) AS a, collect(endNode(stated).number) AS b, collect(stated.time) AS times,
       collect(type(stated) = 'NOT_SAME_PERSON') AS apart, collect(stated.event) AS events
