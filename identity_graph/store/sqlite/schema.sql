-- The whole store. Numbers are the store's own; texts come from outside. No ANALYZE is ever run: its samples
-- would keep values that an erasure must delete, so every statement states its join order (CROSS JOIN).

CREATE TABLE meta (key TEXT PRIMARY KEY, value ANY) STRICT, WITHOUT ROWID;
CREATE TABLE namespace (number INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
CREATE TABLE source (number INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;

-- Evidence. Rows are appended; the three trees that are written all over come as a recent layer and as parts, see
-- layers.py and parts.py.
CREATE TABLE identifier (
    number INTEGER PRIMARY KEY,
    namespace INTEGER NOT NULL,
    value TEXT NOT NULL
) STRICT;

-- identifiers: numbers, ascending; stated: two numbers and 1 where they are kept apart, else 0, ascending; both
-- little-endian int64.
-- traits, properties: canonical JSON (sorted keys, no blanks); null for an empty object.
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

-- 48 bits of a hash of the value or the id, each in a third of the space that the text would take, and numbers in order
-- are written in a fraction of the time. Whoever looks compares the text of the identifier or event itself.
CREATE TABLE recent_identifier_value (
    hash INTEGER NOT NULL,
    identifier INTEGER NOT NULL,
    PRIMARY KEY (hash, identifier)
) STRICT, WITHOUT ROWID;
CREATE TABLE recent_event_id (
    hash INTEGER NOT NULL,
    event INTEGER NOT NULL,
    PRIMARY KEY (hash, event)
) STRICT, WITHOUT ROWID;
CREATE TABLE recent_observation (
    identifier INTEGER NOT NULL,
    time INTEGER NOT NULL,
    event INTEGER NOT NULL,
    source INTEGER NOT NULL,
    PRIMARY KEY (identifier, time, event)
) STRICT, WITHOUT ROWID;

-- events: how many it began with, or identifiers where it has none. place: which part, and not beyond the key of the
-- first entry. Where rows lie by their numbers, SQLite keeps copies of numbers that are gone, so a place is none. entries:
-- rows of little-endian int64, ascending by their keys.
CREATE TABLE part (number INTEGER PRIMARY KEY, events INTEGER NOT NULL) STRICT;
CREATE TABLE part_identifier_value (number INTEGER PRIMARY KEY, place INTEGER NOT NULL, entries BLOB NOT NULL) STRICT;
CREATE UNIQUE INDEX part_identifier_value_place ON part_identifier_value (place);
CREATE TABLE part_event_id (number INTEGER PRIMARY KEY, place INTEGER NOT NULL, entries BLOB NOT NULL) STRICT;
CREATE UNIQUE INDEX part_event_id_place ON part_event_id (place);
CREATE TABLE part_observation (number INTEGER PRIMARY KEY, place INTEGER NOT NULL, entries BLOB NOT NULL) STRICT;
CREATE UNIQUE INDEX part_observation_place ON part_observation (place);

CREATE TABLE stated (
    a INTEGER NOT NULL,
    b INTEGER NOT NULL,
    event INTEGER NOT NULL,
    apart INTEGER NOT NULL,
    PRIMARY KEY (a, b, event, apart)
) STRICT, WITHOUT ROWID;
CREATE INDEX stated_b ON stated (b);

-- Persons. A retired person keeps its row and points to its survivor, never to another retired one.
CREATE TABLE person (
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    created INTEGER NOT NULL,
    updated INTEGER NOT NULL,
    survivor INTEGER,
    edition INTEGER NOT NULL -- the last one that touched it
) STRICT;
CREATE INDEX person_edition ON person (edition);
CREATE INDEX person_survivor ON person (survivor) WHERE survivor IS NOT NULL;
CREATE INDEX person_updated ON person (updated) WHERE survivor IS NULL;

CREATE TABLE member (identifier INTEGER PRIMARY KEY, person INTEGER NOT NULL, since INTEGER NOT NULL) STRICT;
CREATE INDEX member_person ON member (person);

CREATE TABLE pruned (identifier INTEGER PRIMARY KEY, code TEXT NOT NULL) STRICT;

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

-- Links that nobody observed; `shared` are the numbers of identifiers that both ends were seen with, as int64.
CREATE TABLE similar (
    a INTEGER NOT NULL,
    b INTEGER NOT NULL,
    weight REAL NOT NULL,
    last_seen INTEGER NOT NULL,
    shared BLOB NOT NULL,
    PRIMARY KEY (a, b)
) STRICT, WITHOUT ROWID;
CREATE INDEX similar_b ON similar (b);

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
CREATE INDEX change_person ON change (person_id);

-- Segments.
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

-- Operations.
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
CREATE INDEX run_started ON run (started, id);
CREATE UNIQUE INDEX run_interrupted ON run (fingerprint, loader) WHERE state <> 'DONE' AND fingerprint IS NOT NULL;

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

-- How far destinations were told, and messages that did not arrive: JSON, without what they tell.
CREATE TABLE delivery (destination TEXT PRIMARY KEY, state TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE dead_letter (id TEXT PRIMARY KEY, parcel TEXT NOT NULL) STRICT, WITHOUT ROWID;

-- Identifiers whose persons nobody but the privacy desk sees.
CREATE TABLE restricted (identifier INTEGER PRIMARY KEY, since INTEGER NOT NULL) STRICT;

-- Requests to erase, as JSON, and how far they came; `batch` is empty for one that came alone.
CREATE TABLE erasure (
    id TEXT PRIMARY KEY,
    open INTEGER NOT NULL,
    batch TEXT NOT NULL,
    line INTEGER NOT NULL,
    request TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX erasure_open ON erasure (id) WHERE open = 1;
CREATE INDEX erasure_batch ON erasure (batch, line) WHERE batch <> '';

-- Requests of controllers, as JSON; null where nothing is to be done, or nobody to be told.
CREATE TABLE subject_request (
    id TEXT PRIMARY KEY,
    due INTEGER,
    call_due INTEGER,
    request TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX subject_request_due ON subject_request (due) WHERE due IS NOT NULL;
CREATE INDEX subject_request_call_due ON subject_request (call_due) WHERE call_due IS NOT NULL;

-- What must not come back, as keyed hashes.
CREATE TABLE tombstone (hash BLOB PRIMARY KEY) STRICT, WITHOUT ROWID;
