// Suppressed links with their reasons.
// returns: links
MATCH (a:Identifier)-[link:SUPPRESSED]->(b:Identifier)
RETURN collect([a.key, b.key, link.code, link.namespace, coalesce(link.values, [])]) AS links
