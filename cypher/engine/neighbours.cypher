// The neighbours of some identifiers in a projected graph, and how many share each, as columns.
// $graph string: its name in the catalogue
// $type string: of the relationships to neighbours
// $property string: of theirs, by how many a neighbour is shared
// $numbers list<integer>: of identifiers
// returns: numbers, neighbours, shared_by
CALL gds.graph.relationshipProperty.stream($graph, $property, [$type])
YIELD sourceNodeId, targetNodeId, propertyValue
WITH sourceNodeId, targetNodeId, propertyValue WHERE sourceNodeId IN $numbers
RETURN collect(sourceNodeId) AS numbers, collect(targetNodeId) AS neighbours,
       collect(toInteger(propertyValue)) AS shared_by
