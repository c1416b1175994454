// A person's last events, in order: every one that saw an identifier of the person. An event that saw another person's
// too may be in the journey of that one, by the policy's priorities: GraphQL's `journey` tells.
// $key string: of any identifier of the person
// $limit integer
// :param key => 'email:yusufcosta89188@gmail.com'
// :param limit => 50
// returns: time, source, name, by, properties, traits
MATCH (known:Identifier {key: $key})-[:IDENTIFIES]->(person:Person)
USING INDEX SEEK known:Identifier(key)
MATCH (person)<-[:IDENTIFIES]-(member:Identifier)<-[:OBSERVED]-(event:Event)
WITH event, collect(member.key) AS keys ORDER BY event.time DESC, event.id DESC LIMIT $limit
RETURN datetime({epochMillis: event.time / 1000}) AS time, event.source AS source, event.name AS name,
       COLLECT { UNWIND keys AS key RETURN key ORDER BY key } AS by, event.properties AS properties,
       event.traits AS traits
ORDER BY event.time, event.id
