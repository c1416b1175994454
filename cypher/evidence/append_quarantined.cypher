// Records that are set aside.
// $records list<map>: the properties of each
UNWIND $records AS properties
CREATE (record:Quarantined)
SET record = properties
