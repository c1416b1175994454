// Project links into the catalogue of Graph Data Science, as they are given. Nodes are named by numbers of identifiers.
// $graph string: the name in the catalogue
// $links list<list>: a, b and weight
// returns: nodes, links
UNWIND $links AS link
WITH gds.graph.project($graph, link[0], link[1], {relationshipProperties: {weight: link[2]}},
                       {undirectedRelationshipTypes: ['*']}) AS projected
RETURN projected.nodeCount AS nodes, projected.relationshipCount AS links
