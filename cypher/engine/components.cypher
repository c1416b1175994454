// The components of a projected graph, as columns.
// $graph string: its name in the catalogue
// $property string: that holds the component of each node
// returns: numbers, components
CALL gds.graph.nodeProperty.stream($graph, $property) YIELD nodeId, propertyValue
RETURN collect(nodeId) AS numbers, collect(propertyValue) AS components
