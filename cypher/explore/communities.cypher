// What became of a component that was too large, beside its communities (Leiden, by Graph Data Science on the links that
// join): of each, the links within it and to others, and how many identifiers went to which person, the largest ten.
// The last resolution of everything wrote the communities: everybody in any is an `Oversized`. Who came since has none,
// nor has anybody whose component is not too large.
// $key string: of any identifier of the component
// :param key => 'email:yusufcosta89188@gmail.com'
// returns: community, identifiers, inside, crossing, persons, largest, keys
MATCH (start:Identifier {key: $key})
  USING INDEX SEEK start:Identifier(key)
MATCH (start)-[:IDENTIFIES|SUPPRESSED*0..]-(member:Identifier)
WITH collect(DISTINCT member) AS members
WITH members, COLLECT { UNWIND members AS one WITH one WHERE one:Oversized RETURN DISTINCT one.community } AS communities
UNWIND members AS member
CALL (member, communities) {
  MATCH (member)-[:SEEN_WITH]-(other:Oversized) WHERE other.community IN communities
  WITH DISTINCT other.community = member.community AS near, other
  RETURN count(CASE WHEN near THEN 1 END) AS near, count(CASE WHEN NOT near THEN 1 END) AS far
}
OPTIONAL MATCH (member)-[:IDENTIFIES]->(person:Person)
WITH member, near, far, person ORDER BY member.key
WITH member.community AS community, person.id AS person, count(*) AS size, sum(near) AS near, sum(far) AS far,
     collect(member.key) AS keys
ORDER BY size DESC, keys
RETURN community, sum(size) AS identifiers, sum(near) / 2 AS inside, sum(far) AS crossing, count(person) AS persons,
       collect(toString(size) + ' ' + person)[..10] AS largest, reduce(all = [], own IN collect(keys) | all + own) AS keys
ORDER BY identifiers DESC, community
