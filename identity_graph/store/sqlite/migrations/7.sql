-- From version 6: what was one large tree is parts. It becomes the recent layer, and if that is large, it becomes a part
-- with the next event that is stored: that takes a microsecond for each of its entries.
CREATE TABLE part (number INTEGER PRIMARY KEY, events INTEGER NOT NULL) STRICT;
CREATE TABLE part_identifier_value (number INTEGER PRIMARY KEY, place INTEGER NOT NULL, entries BLOB NOT NULL) STRICT;
CREATE UNIQUE INDEX part_identifier_value_place ON part_identifier_value (place);
CREATE TABLE part_event_id (number INTEGER PRIMARY KEY, place INTEGER NOT NULL, entries BLOB NOT NULL) STRICT;
CREATE UNIQUE INDEX part_event_id_place ON part_event_id (place);
CREATE TABLE part_observation (number INTEGER PRIMARY KEY, place INTEGER NOT NULL, entries BLOB NOT NULL) STRICT;
CREATE UNIQUE INDEX part_observation_place ON part_observation (place);

INSERT INTO identifier_value SELECT * FROM recent_identifier_value;
DROP TABLE recent_identifier_value;
ALTER TABLE identifier_value RENAME TO recent_identifier_value;
INSERT INTO event_id SELECT * FROM recent_event_id;
DROP TABLE recent_event_id;
ALTER TABLE event_id RENAME TO recent_event_id;
INSERT INTO observation SELECT * FROM recent_observation;
DROP TABLE recent_observation;
ALTER TABLE observation RENAME TO recent_observation;
DELETE FROM meta WHERE key = 'settled';
