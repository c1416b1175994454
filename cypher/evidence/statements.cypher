// What events state of pairs of identifiers, as columns.
// returns: a, b, times, apart, events
MATCH (a:Identifier)-[stated:SAME_PERSON|NOT_SAME_PERSON]->(b:Identifier)
RETURN collect(a.number) AS a, collect(b.number) AS b, collect(stated.time) AS times,
       collect(type(stated) = 'NOT_SAME_PERSON') AS apart, collect(stated.event) AS events
