// Who of a projected graph is like anybody else, as a column.
// $graph string: its name in the catalogue
// $type string: of the relationships that say so
// returns: numbers
CALL gds.graph.relationships.stream($graph, [$type]) YIELD sourceNodeId
RETURN collect(DISTINCT sourceNodeId) AS numbers
