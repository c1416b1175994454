// Persons with all that is around them, in one answer.
// $keys list<string>: namespace:value, of identifiers asked for
// $ids list<string>: of persons asked for
// $events boolean: whether to bring their events
// returns: before, asked, persons, retired, members, suppressed, similar, segments, events, beside, owners, restricted, after
MATCH (moment:Moment {name: 'identity-graph'})
WITH moment.turn AS before
CALL () {
  UNWIND $keys AS key
  MATCH (identifier:Identifier {key: key})
    USING INDEX SEEK identifier:Identifier(key)
  OPTIONAL MATCH (identifier)-[member:IDENTIFIES]->(person:Person)
  RETURN collect([identifier.number, identifier.namespace, identifier.value, person.number, coalesce(member.since, 0),
                  identifier.pruned]) AS asked, collect(DISTINCT person) AS owning
}
CALL () {
  UNWIND $ids AS id
  MATCH (person:Person {id: id})
    USING INDEX SEEK person:Person(id)
  RETURN collect(DISTINCT person) AS named
}
CALL () {
  UNWIND $ids AS id
  MATCH (gone:Retired {id: id})-[:MERGED_INTO]->(person:Person)
  USING INDEX SEEK gone:Retired(id)
  RETURN collect(DISTINCT [gone.number, gone.id, gone.created, gone.updated, person.number]) AS retired,
         collect(DISTINCT person) AS survivors
}
WITH before, asked, retired, owning + named + survivors AS found
CALL (found) {
  UNWIND found AS person
  WITH DISTINCT person
  RETURN collect(person) AS whole, collect([person.number, person.id, person.created, person.updated, null]) AS persons,
         collect([person.number, [(person)-[:MEMBER_OF]->(segment:Segment) | properties(segment)]]) AS segments
}
CALL (whole) {
  UNWIND whole AS person
  MATCH (member:Identifier)-[belongs:IDENTIFIES]->(person)
  RETURN collect(member) AS inside,
         collect([member.number, member.namespace, member.value, person.number, belongs.since, member.pruned]) AS members
}
CALL (inside) {
  UNWIND inside AS member
  MATCH (member)-[link:SUPPRESSED]-()
  RETURN collect([member.number, startNode(link).number, endNode(link).number, link.code, link.message, link.namespace,
                  coalesce(link.values, [])]) AS suppressed
}
CALL (inside) {
  UNWIND inside AS member
  MATCH (member)-[link:SIMILAR]-(other)
  RETURN collect([member.number, startNode(link).number, endNode(link).number, link.weight, link.last_seen,
                  link.shared]) AS similar, collect(DISTINCT other) AS alike, collect(link.shared) AS lists
}
CALL (lists) {
  UNWIND lists AS list
  UNWIND list AS number
  WITH DISTINCT number
  MATCH (identifier:Identifier {number: number})
  USING INDEX SEEK identifier:Identifier(number)
  RETURN collect(identifier) AS sharing
}
CALL (inside) {
  UNWIND CASE WHEN $events THEN inside ELSE [] END AS member
  MATCH (member)<-[:OBSERVED]-(event:Event)
  WITH event, collect(member.number) AS found
  RETURN collect(event) AS seen, collect([found, properties(event)]) AS events
}
CALL (seen, alike, sharing) {
  CALL (seen, alike, sharing) {
    UNWIND seen AS event
    MATCH (event)-[:OBSERVED]->(identifier:Identifier)
    RETURN identifier
    UNION
    UNWIND alike + sharing AS identifier
    RETURN identifier
  }
  OPTIONAL MATCH (identifier)-[member:IDENTIFIES]->(owner:Person)
  RETURN collect([identifier.number, identifier.namespace, identifier.value, owner.number, coalesce(member.since, 0),
                  identifier.pruned]) AS beside,
         collect(DISTINCT [owner.number, owner.id, owner.created, owner.updated, null]) AS owners
}
CALL () {
  MATCH (identifier:Identifier)-[:IDENTIFIES]->(person:Person)
    USING INDEX SEEK identifier:Identifier(restricted)
  WHERE identifier.restricted > 0
  RETURN collect(DISTINCT person.number) AS restricted
}
MATCH (again:Moment {name: 'identity-graph'})
RETURN before, asked, persons, retired, members, suppressed, similar, segments, events, beside, owners, restricted,
       again.turn AS after
