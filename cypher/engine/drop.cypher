// Drop a graph from the catalogue; nothing happens where there is none of the name.
// $graph string: its name there
// returns: graphs
CALL gds.graph.drop($graph, false) YIELD graphName
RETURN collect(graphName) AS graphs
