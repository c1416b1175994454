-- From version 5: by which publication each person was touched last; a hash finds a value, and not its text; requests of
-- controllers.
ALTER TABLE person ADD COLUMN edition INTEGER NOT NULL DEFAULT 0;
CREATE INDEX person_edition ON person (edition);

DROP TABLE identifier_value;
DROP TABLE recent_identifier_value;
CREATE TABLE identifier_value (
    hash INTEGER NOT NULL,
    identifier INTEGER NOT NULL,
    PRIMARY KEY (hash, identifier)
) STRICT, WITHOUT ROWID;
CREATE TABLE recent_identifier_value (
    hash INTEGER NOT NULL,
    identifier INTEGER NOT NULL,
    PRIMARY KEY (hash, identifier)
) STRICT, WITHOUT ROWID;
INSERT INTO identifier_value (hash, identifier) SELECT text_hash(value), number FROM identifier ORDER BY 1, 2;

CREATE TABLE subject_request (
    id TEXT PRIMARY KEY,
    due INTEGER,
    call_due INTEGER,
    request TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX subject_request_due ON subject_request (due) WHERE due IS NOT NULL;
CREATE INDEX subject_request_call_due ON subject_request (call_due) WHERE call_due IS NOT NULL;
