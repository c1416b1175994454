// Suppressed links that end in identifiers, as columns; once for each end that is asked for. No namespace is an empty text.
// $numbers list<integer>: of identifiers, without repeats
// returns: numbers, a, b, codes, messages, namespaces, values
UNWIND $numbers AS number
MATCH (identifier:Identifier {number: number})-[link:SUPPRESSED]-()
USING INDEX SEEK identifier:Identifier(number)
RETURN collect(number) AS numbers, collect(startNode(link).number) AS a, collect(endNode(link).number) AS b,
       collect(link.code) AS codes, collect(link.message) AS messages,
       collect(coalesce(link.namespace, '')) AS namespaces, collect(coalesce(link.values, [])) AS values
