-- Four events and two persons, as version 5 of the store had them.
PRAGMA page_size=8192;
BEGIN TRANSACTION;
CREATE TABLE change (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    time INTEGER NOT NULL,
    kind TEXT NOT NULL,
    person_id TEXT NOT NULL,
    from_ids TEXT,
    to_ids TEXT,
    cause TEXT NOT NULL,
    message TEXT NOT NULL,
    policy TEXT NOT NULL,
    segment TEXT
) STRICT;
INSERT INTO change VALUES(1,1795901775841803,'CREATED','01a22416-5fe1-7a7f-b4fa-d0d0c328c2b3',NULL,NULL,'evidence','a new person','e76a24b3d38b85a8f35a359d76b32ece16a9e470d107894004faf2bfdd6637cf',NULL);
INSERT INTO change VALUES(2,1795901775841803,'CREATED','01a22416-5fe1-7b89-b6c7-0b2b0a7b0c3c',NULL,NULL,'evidence','a new person','e76a24b3d38b85a8f35a359d76b32ece16a9e470d107894004faf2bfdd6637cf',NULL);
CREATE INDEX change_person ON change (person_id);
CREATE TABLE dead_letter (id TEXT PRIMARY KEY, parcel TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE delivery (destination TEXT PRIMARY KEY, state TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE erasure (
    id TEXT PRIMARY KEY,
    open INTEGER NOT NULL,
    batch TEXT NOT NULL,
    line INTEGER NOT NULL,
    request TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX erasure_batch ON erasure (batch, line) WHERE batch <> '';
CREATE INDEX erasure_open ON erasure (id) WHERE open = 1;
CREATE TABLE event (
    number INTEGER PRIMARY KEY,
    time INTEGER NOT NULL,
    source INTEGER NOT NULL,
    identifiers BLOB NOT NULL,
    stated BLOB,
    received INTEGER NOT NULL,
    id TEXT NOT NULL,
    name TEXT NOT NULL,
    traits TEXT,
    properties TEXT
) STRICT;
INSERT INTO event VALUES(1,1735689600000000,2,X'01000000000000000200000000000000',NULL,1795901754875110,'e-1','Signed Up','{"plan":"free"}','{"path":"/"}');
INSERT INTO event VALUES(2,1735689700000000,2,X'01000000000000000300000000000000',NULL,1795901754875110,'e-2','Seen',NULL,NULL);
INSERT INTO event VALUES(3,1735689800000000,1,X'04000000000000000500000000000000',NULL,1795901754875110,'e-3','Order Placed','{"name":"Bob Müller"}','{"total":12.5}');
INSERT INTO event VALUES(4,1735689900000000,0,X'01000000000000000600000000000000',X'010000000000000006000000000000000000000000000000',1795901754875110,'e-4','Linked',NULL,NULL);
CREATE TABLE event_id (
    hash INTEGER NOT NULL,
    event INTEGER NOT NULL,
    PRIMARY KEY (hash, event)
) STRICT, WITHOUT ROWID;
CREATE TABLE identifier (
    number INTEGER PRIMARY KEY,
    namespace INTEGER NOT NULL,
    value TEXT NOT NULL
) STRICT;
INSERT INTO identifier VALUES(1,2,'ann');
INSERT INTO identifier VALUES(2,1,'ann@example.org');
INSERT INTO identifier VALUES(3,0,'c-1');
INSERT INTO identifier VALUES(4,2,'bob');
INSERT INTO identifier VALUES(5,1,'bob@example.org');
INSERT INTO identifier VALUES(6,0,'ann');
CREATE TABLE identifier_value (
    value TEXT NOT NULL,
    namespace INTEGER NOT NULL,
    number INTEGER NOT NULL,
    PRIMARY KEY (value, namespace)
) STRICT, WITHOUT ROWID;
CREATE TABLE member (identifier INTEGER PRIMARY KEY, person INTEGER NOT NULL, since INTEGER NOT NULL) STRICT;
INSERT INTO member VALUES(1,1,1795901775841803);
INSERT INTO member VALUES(2,1,1795901775841803);
INSERT INTO member VALUES(3,1,1795901775841803);
INSERT INTO member VALUES(4,2,1795901775841803);
INSERT INTO member VALUES(5,2,1795901775841803);
INSERT INTO member VALUES(6,1,1795901775841803);
CREATE INDEX member_person ON member (person);
CREATE TABLE meta (key TEXT PRIMARY KEY, value ANY) STRICT, WITHOUT ROWID;
INSERT INTO meta VALUES('policy','e76a24b3d38b85a8f35a359d76b32ece16a9e470d107894004faf2bfdd6637cf');
INSERT INTO meta VALUES('resolved',4);
CREATE TABLE namespace (number INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
INSERT INTO namespace VALUES(0,'cookie');
INSERT INTO namespace VALUES(1,'email');
INSERT INTO namespace VALUES(2,'user_id');
CREATE TABLE observation (
    identifier INTEGER NOT NULL,
    time INTEGER NOT NULL,
    event INTEGER NOT NULL,
    source INTEGER NOT NULL,
    PRIMARY KEY (identifier, time, event)
) STRICT, WITHOUT ROWID;
CREATE TABLE person (
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    created INTEGER NOT NULL,
    updated INTEGER NOT NULL,
    survivor INTEGER
) STRICT;
INSERT INTO person VALUES(1,'01a22416-5fe1-7a7f-b4fa-d0d0c328c2b3',1795901775841803,1795901775841803,NULL);
INSERT INTO person VALUES(2,'01a22416-5fe1-7b89-b6c7-0b2b0a7b0c3c',1795901775841803,1795901775841803,NULL);
CREATE INDEX person_survivor ON person (survivor) WHERE survivor IS NOT NULL;
CREATE INDEX person_updated ON person (updated) WHERE survivor IS NULL;
CREATE TABLE pruned (identifier INTEGER PRIMARY KEY, code TEXT NOT NULL) STRICT;
CREATE TABLE quarantine (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    run_id TEXT NOT NULL,
    line INTEGER NOT NULL,
    offset INTEGER NOT NULL,
    code TEXT NOT NULL,
    message TEXT NOT NULL,
    record BLOB NOT NULL,
    time INTEGER NOT NULL,
    mark INTEGER NOT NULL
) STRICT;
CREATE INDEX quarantine_code ON quarantine (code);
CREATE INDEX quarantine_mark ON quarantine (mark);
CREATE TABLE recent_event_id (
    hash INTEGER NOT NULL,
    event INTEGER NOT NULL,
    PRIMARY KEY (hash, event)
) STRICT, WITHOUT ROWID;
INSERT INTO recent_event_id VALUES(-106592745076346,1);
INSERT INTO recent_event_id VALUES(56816124962418,3);
INSERT INTO recent_event_id VALUES(68548957929925,2);
INSERT INTO recent_event_id VALUES(109563947770543,4);
CREATE TABLE recent_identifier_value (
    value TEXT NOT NULL,
    namespace INTEGER NOT NULL,
    number INTEGER NOT NULL,
    PRIMARY KEY (value, namespace)
) STRICT, WITHOUT ROWID;
INSERT INTO recent_identifier_value VALUES('ann',0,6);
INSERT INTO recent_identifier_value VALUES('ann',2,1);
INSERT INTO recent_identifier_value VALUES('ann@example.org',1,2);
INSERT INTO recent_identifier_value VALUES('bob',2,4);
INSERT INTO recent_identifier_value VALUES('bob@example.org',1,5);
INSERT INTO recent_identifier_value VALUES('c-1',0,3);
CREATE TABLE recent_observation (
    identifier INTEGER NOT NULL,
    time INTEGER NOT NULL,
    event INTEGER NOT NULL,
    source INTEGER NOT NULL,
    PRIMARY KEY (identifier, time, event)
) STRICT, WITHOUT ROWID;
INSERT INTO recent_observation VALUES(1,1735689600000000,1,2);
INSERT INTO recent_observation VALUES(1,1735689700000000,2,2);
INSERT INTO recent_observation VALUES(1,1735689900000000,4,0);
INSERT INTO recent_observation VALUES(2,1735689600000000,1,2);
INSERT INTO recent_observation VALUES(3,1735689700000000,2,2);
INSERT INTO recent_observation VALUES(4,1735689800000000,3,1);
INSERT INTO recent_observation VALUES(5,1735689800000000,3,1);
INSERT INTO recent_observation VALUES(6,1735689900000000,4,0);
CREATE TABLE restricted (identifier INTEGER PRIMARY KEY, since INTEGER NOT NULL) STRICT;
CREATE TABLE run (
    id TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    state TEXT NOT NULL,
    started INTEGER NOT NULL,
    source TEXT NOT NULL,
    ended INTEGER,
    read INTEGER NOT NULL,
    accepted INTEGER NOT NULL,
    duplicate INTEGER NOT NULL,
    quarantined INTEGER NOT NULL,
    suppressed INTEGER NOT NULL,
    message TEXT NOT NULL,
    position INTEGER NOT NULL,
    offset INTEGER NOT NULL,
    default_time INTEGER,
    loader TEXT NOT NULL,
    file TEXT NOT NULL,
    fingerprint TEXT,
    trail TEXT NOT NULL,
    policy TEXT NOT NULL,
    normaliser INTEGER NOT NULL,
    first_error TEXT NOT NULL,
    last_error TEXT NOT NULL,
    size INTEGER
) STRICT, WITHOUT ROWID;
INSERT INTO run VALUES('01a22416-0dfb-7f40-8726-ad65fbb9de06','ingest','DONE',1795901754875145,'',1795901754882303,4,4,0,0,0,'',4,0,NULL,'','',NULL,'','e76a24b3d38b85a8f35a359d76b32ece16a9e470d107894004faf2bfdd6637cf',1,'','',NULL);
INSERT INTO run VALUES('01a22416-0e06-7be4-95cf-d90be4c98412','resolve','DONE',1795901754886149,'',1795901775850147,0,0,0,0,0,'2 created',0,0,NULL,'','',NULL,'','e76a24b3d38b85a8f35a359d76b32ece16a9e470d107894004faf2bfdd6637cf',1,'','',NULL);
CREATE UNIQUE INDEX run_interrupted ON run (fingerprint, loader) WHERE state <> 'DONE' AND fingerprint IS NOT NULL;
CREATE INDEX run_started ON run (started, id);
CREATE TABLE segment (
    number INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    description TEXT NOT NULL,
    condition TEXT NOT NULL,
    created INTEGER NOT NULL,
    evaluated INTEGER NOT NULL,
    size INTEGER NOT NULL
) STRICT;
CREATE TABLE segment_member (
    segment INTEGER NOT NULL,
    person_id TEXT NOT NULL,
    PRIMARY KEY (segment, person_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX segment_member_person ON segment_member (person_id);
CREATE TABLE similar (
    a INTEGER NOT NULL,
    b INTEGER NOT NULL,
    weight REAL NOT NULL,
    last_seen INTEGER NOT NULL,
    shared BLOB NOT NULL,
    PRIMARY KEY (a, b)
) STRICT, WITHOUT ROWID;
CREATE INDEX similar_b ON similar (b);
CREATE TABLE source (number INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
INSERT INTO source VALUES(0,'app');
INSERT INTO source VALUES(1,'shop');
INSERT INTO source VALUES(2,'web');
CREATE TABLE stated (
    a INTEGER NOT NULL,
    b INTEGER NOT NULL,
    event INTEGER NOT NULL,
    apart INTEGER NOT NULL,
    PRIMARY KEY (a, b, event, apart)
) STRICT, WITHOUT ROWID;
INSERT INTO stated VALUES(1,6,4,0);
CREATE INDEX stated_b ON stated (b);
CREATE TABLE suppressed (
    a INTEGER NOT NULL,
    b INTEGER NOT NULL,
    code TEXT NOT NULL,
    message TEXT NOT NULL,
    namespace TEXT,
    "values" TEXT NOT NULL,
    PRIMARY KEY (a, b)
) STRICT, WITHOUT ROWID;
CREATE INDEX suppressed_b ON suppressed (b);
CREATE TABLE tombstone (hash BLOB PRIMARY KEY) STRICT, WITHOUT ROWID;
DELETE FROM main.sqlite_sequence WHERE name='change';
INSERT INTO main.sqlite_sequence VALUES ('change', 2);
pragma user_version=5;
pragma application_id=1229211474;
COMMIT TRANSACTION;
