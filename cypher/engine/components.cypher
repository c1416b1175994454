// The components of a projected graph, or its communities, as columns.
// $graph string: its name in the catalogue
// $property string: that holds that of each node
// returns: numbers, components
CALL gds.graph.nodeProperty.stream($graph, $property) YIELD nodeId, propertyValue
RETURN collect(nodeId) AS numbers, collect(propertyValue) AS components
