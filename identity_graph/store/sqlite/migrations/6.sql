-- From version 5: by which publication each person was touched last.
ALTER TABLE person ADD COLUMN edition INTEGER NOT NULL DEFAULT 0;
CREATE INDEX person_edition ON person (edition);
-- And requests of controllers.
CREATE TABLE subject_request (
    id TEXT PRIMARY KEY,
    due INTEGER,
    call_due INTEGER,
    request TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX subject_request_due ON subject_request (due) WHERE due IS NOT NULL;
CREATE INDEX subject_request_call_due ON subject_request (call_due) WHERE call_due IS NOT NULL;
