// A person: its identifiers, the links between them, its segments, and whom a limit or a statement keeps apart from it.
// $key string: namespace:value of any of its identifiers, as it is stored
// :param key => 'email:yusufcosta89188@gmail.com'
// returns: path
MATCH (known:Identifier {key: $key})-[:IDENTIFIES]->(person:Person)
USING INDEX SEEK known:Identifier(key)
CALL (person) {
  MATCH path = (person)<-[:IDENTIFIES]-(:Identifier)
  RETURN path
  UNION ALL
  MATCH path = (person)<-[:IDENTIFIES]-(:Identifier)-[:SEEN_WITH|SIMILAR|SAME_PERSON|NOT_SAME_PERSON]->(:Identifier)
               -[:IDENTIFIES]->(person)
  RETURN path
  UNION ALL
  MATCH path = (person)<-[:IDENTIFIES]-(:Identifier)-[:SUPPRESSED|NOT_SAME_PERSON]-(:Identifier)
               -[:IDENTIFIES]->(other:Person)
  WHERE other <> person
  RETURN path
  UNION ALL
  MATCH path = (person)-[:MEMBER_OF]->(:Segment)
  RETURN path
}
RETURN path
