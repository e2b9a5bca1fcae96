-- Signed heads of each log, and what witnesses signed below them. The text is the head's three lines.

CREATE TABLE seal (
    run  INTEGER NOT NULL REFERENCES run (number),
    size INTEGER NOT NULL CHECK (size >= 1),                 -- how many entries it covers
    text TEXT NOT NULL,                                      -- origin, size, root: what is signed
    line TEXT NOT NULL,                                      -- the log's own signature
    at   TEXT NOT NULL,
    PRIMARY KEY (run, size)
) STRICT, WITHOUT ROWID;

CREATE TABLE cosignature (
    run     INTEGER NOT NULL,
    size    INTEGER NOT NULL,
    witness TEXT NOT NULL,                                   -- the policy's name for them
    line    TEXT NOT NULL,
    PRIMARY KEY (run, size, witness),
    FOREIGN KEY (run, size) REFERENCES seal (run, size)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER seal_is_not_changed BEFORE UPDATE ON seal
BEGIN SELECT RAISE(ABORT, 'a seal is never changed'); END;

CREATE TRIGGER seal_is_not_deleted BEFORE DELETE ON seal
BEGIN SELECT RAISE(ABORT, 'a seal is never deleted'); END;

CREATE TRIGGER cosignature_is_not_changed BEFORE UPDATE ON cosignature
BEGIN SELECT RAISE(ABORT, 'a cosignature is never changed'); END;

CREATE TRIGGER cosignature_is_not_deleted BEFORE DELETE ON cosignature
BEGIN SELECT RAISE(ABORT, 'a cosignature is never deleted'); END;
