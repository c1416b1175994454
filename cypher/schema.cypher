// Constraints and indexes of the graph model. Every statement may be run again: what exists is left as it is.
//
//   (:Identifier {key, namespace, value})   key is "namespace:value"
//   (:Event {id, time, source, name})       what came in
//   (:Person {id})                          what is published
//   (:Source {name})                        who sends events
//   (:Identifier)-[:SEEN_WITH]->(:Identifier), (:Event)-[:OBSERVED]->(:Identifier), (:Identifier)-[:IDENTIFIES]->(:Person)

// One node an identifier. A single composite text, because the Community edition has no node keys.
CREATE CONSTRAINT identifier_key IF NOT EXISTS FOR (identifier:Identifier) REQUIRE identifier.key IS UNIQUE;

// An event is stored once, however often it is sent.
CREATE CONSTRAINT event_id IF NOT EXISTS FOR (event:Event) REQUIRE event.id IS UNIQUE;

// A person id names one person for ever, also after it was retired by a merge.
CREATE CONSTRAINT person_id IF NOT EXISTS FOR (person:Person) REQUIRE person.id IS UNIQUE;

// Sources are counted and trusted by name.
CREATE CONSTRAINT source_name IF NOT EXISTS FOR (source:Source) REQUIRE source.name IS UNIQUE;

// A segment is asked for by its name.
CREATE CONSTRAINT segment_name IF NOT EXISTS FOR (segment:Segment) REQUIRE segment.name IS UNIQUE;

// A run is resumed by its id.
CREATE CONSTRAINT run_id IF NOT EXISTS FOR (run:Run) REQUIRE run.id IS UNIQUE;

// A tombstone is looked up by the keyed hash of each identifier and event that comes in.
CREATE CONSTRAINT tombstone_hash IF NOT EXISTS FOR (tombstone:Tombstone) REQUIRE tombstone.hash IS UNIQUE;

// Which identifiers there are of one namespace: counts, hubs, exports.
CREATE INDEX identifier_namespace IF NOT EXISTS FOR (identifier:Identifier) ON (identifier.namespace);

// A journey is a range of time.
CREATE INDEX event_time IF NOT EXISTS FOR (event:Event) ON (event.time);

// What arrived since the last resolution.
CREATE INDEX event_number IF NOT EXISTS FOR (event:Event) ON (event.number);

// Changes are read in order of number, and by person.
CREATE INDEX change_number IF NOT EXISTS FOR (change:Change) ON (change.number);
CREATE INDEX change_person IF NOT EXISTS FOR (change:Change) ON (change.person);

// Quarantined records are read in order of number, and by the reason for which they were set aside.
CREATE INDEX quarantined_number IF NOT EXISTS FOR (record:Quarantined) ON (record.number);
CREATE INDEX quarantined_code IF NOT EXISTS FOR (record:Quarantined) ON (record.code);
