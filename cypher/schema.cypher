// Constraints and indexes of the graph model, version 4. Every statement may be run again: what exists is left as it is.
//
//   (:Identifier {key, namespace, value, number})   key is "namespace:value"; the namespace is a label, too; `pruned`: why
//                                                   it joins nobody; `restricted`: since when its person is hidden.
//                                                   Where its component is too large, :Oversized {community}
//   (:Event {id, number, time, received, source, name, traits, properties, identifiers, stated, content})
//   (:Person {id, number, created, updated, edition})   published; (:Retired)-[:MERGED_INTO]->(:Person) after a merge
//   (:Change), (:Segment), (:Run), (:Quarantined), (:Tombstone), (:Delivery), (:DeadLetter), (:Erasure),
//   (:SubjectRequest), one (:Store) that holds the counters, and one (:Moment) by which readers see that a publication came between
//
//   (:Event)-[:OBSERVED]->(:Identifier)
//   (:Identifier)-[:SEEN_WITH {source, count, first_seen, last_seen}]->(:Identifier)   one a source; not of :Wide events
//   (:Identifier)-[:SAME_PERSON {event, time}]->(:Identifier)                          stated, one an event
//   (:Identifier)-[:NOT_SAME_PERSON {event, time}]->(:Identifier)                      stated, one an event
//   (:Identifier)-[:IDENTIFIES {since}]->(:Person)
//   (:Identifier)-[:SUPPRESSED {code, message, namespace, values}]->(:Identifier)      refused by a limit
//   (:Identifier)-[:SIMILAR {weight, last_seen, shared}]->(:Identifier)                seen with the same others, by number
//   (:Person)-[:MEMBER_OF]->(:Segment)
//
// Times are microseconds since 1970, UTC; numbers are the store's own, given once. What is empty, a text aside, is absent.

CREATE CONSTRAINT store_name IF NOT EXISTS FOR (store:Store) REQUIRE store.name IS UNIQUE;
CREATE CONSTRAINT moment_name IF NOT EXISTS FOR (moment:Moment) REQUIRE moment.name IS UNIQUE;
CREATE CONSTRAINT identifier_key IF NOT EXISTS FOR (identifier:Identifier) REQUIRE identifier.key IS UNIQUE;
CREATE CONSTRAINT identifier_number IF NOT EXISTS FOR (identifier:Identifier) REQUIRE identifier.number IS UNIQUE;
CREATE CONSTRAINT event_id IF NOT EXISTS FOR (event:Event) REQUIRE event.id IS UNIQUE;
CREATE CONSTRAINT event_number IF NOT EXISTS FOR (event:Event) REQUIRE event.number IS UNIQUE;
CREATE CONSTRAINT person_id IF NOT EXISTS FOR (person:Person) REQUIRE person.id IS UNIQUE;
CREATE CONSTRAINT person_number IF NOT EXISTS FOR (person:Person) REQUIRE person.number IS UNIQUE;
CREATE CONSTRAINT retired_id IF NOT EXISTS FOR (person:Retired) REQUIRE person.id IS UNIQUE;
CREATE CONSTRAINT retired_number IF NOT EXISTS FOR (person:Retired) REQUIRE person.number IS UNIQUE;
CREATE CONSTRAINT segment_name IF NOT EXISTS FOR (segment:Segment) REQUIRE segment.name IS UNIQUE;
CREATE CONSTRAINT run_id IF NOT EXISTS FOR (run:Run) REQUIRE run.id IS UNIQUE;
CREATE CONSTRAINT change_number IF NOT EXISTS FOR (change:Change) REQUIRE change.number IS UNIQUE;
CREATE CONSTRAINT quarantined_number IF NOT EXISTS FOR (record:Quarantined) REQUIRE record.number IS UNIQUE;
CREATE CONSTRAINT tombstone_hash IF NOT EXISTS FOR (tombstone:Tombstone) REQUIRE tombstone.hash IS UNIQUE;
CREATE CONSTRAINT delivery_destination IF NOT EXISTS FOR (delivery:Delivery) REQUIRE delivery.destination IS UNIQUE;
CREATE CONSTRAINT dead_letter_id IF NOT EXISTS FOR (letter:DeadLetter) REQUIRE letter.id IS UNIQUE;
CREATE CONSTRAINT erasure_id IF NOT EXISTS FOR (erasure:Erasure) REQUIRE erasure.id IS UNIQUE;
CREATE INDEX erasure_open IF NOT EXISTS FOR (erasure:Erasure) ON (erasure.open);
CREATE INDEX erasure_batch IF NOT EXISTS FOR (erasure:Erasure) ON (erasure.batch, erasure.line);
CREATE INDEX person_edition IF NOT EXISTS FOR (person:Person) ON (person.edition);
CREATE CONSTRAINT subject_request_id IF NOT EXISTS FOR (asked:SubjectRequest) REQUIRE asked.id IS UNIQUE;
CREATE INDEX subject_request_due IF NOT EXISTS FOR (asked:SubjectRequest) ON (asked.due);
CREATE INDEX subject_request_call_due IF NOT EXISTS FOR (asked:SubjectRequest) ON (asked.call_due);
CREATE INDEX identifier_pruned IF NOT EXISTS FOR (identifier:Identifier) ON (identifier.pruned);
CREATE INDEX identifier_restricted IF NOT EXISTS FOR (identifier:Identifier) ON (identifier.restricted);
CREATE INDEX person_updated IF NOT EXISTS FOR (person:Person) ON (person.updated, person.number);
CREATE INDEX event_time IF NOT EXISTS FOR (event:Event) ON (event.time);
CREATE INDEX change_person IF NOT EXISTS FOR (change:Change) ON (change.person_id);
CREATE INDEX run_started IF NOT EXISTS FOR (run:Run) ON (run.started);
CREATE INDEX run_fingerprint IF NOT EXISTS FOR (run:Run) ON (run.fingerprint);
CREATE INDEX quarantined_mark IF NOT EXISTS FOR (record:Quarantined) ON (record.mark);
CREATE INDEX quarantined_code IF NOT EXISTS FOR (record:Quarantined) ON (record.code, record.number);
CALL db.awaitIndexes(3600)
