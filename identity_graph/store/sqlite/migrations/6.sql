-- From version 5: by which publication each person was touched last.
ALTER TABLE person ADD COLUMN edition INTEGER NOT NULL DEFAULT 0;
CREATE INDEX person_edition ON person (edition);
