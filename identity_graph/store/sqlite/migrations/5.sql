-- From version 4: who is restricted and which erasures are under way; runs know how large their file is.
ALTER TABLE run ADD COLUMN size INTEGER;
CREATE INDEX person_updated ON person (updated) WHERE survivor IS NULL;
CREATE TABLE restricted (identifier INTEGER PRIMARY KEY, since INTEGER NOT NULL) STRICT;
CREATE TABLE erasure (
    id TEXT PRIMARY KEY,
    open INTEGER NOT NULL,
    batch TEXT NOT NULL,
    line INTEGER NOT NULL,
    request TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX erasure_open ON erasure (id) WHERE open = 1;
CREATE INDEX erasure_batch ON erasure (batch, line) WHERE batch <> '';
