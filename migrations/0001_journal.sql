-- The journal: the one durable truth about runs. Times are RFC 3339 in UTC, digests are SHA-256.

CREATE TABLE run (
    number INTEGER PRIMARY KEY,                              -- short key inside this file, never exported
    id     BLOB NOT NULL CHECK (length(id) = 16),            -- UUID
    part   INTEGER NOT NULL CHECK (part >= 1),               -- 2 and more: successor logs after a loss
    label  TEXT NOT NULL,                                    -- what people type: ekh-7f3a
    origin TEXT NOT NULL UNIQUE,                             -- <project>/<run id>, then .2 …
    opened TEXT NOT NULL,
    paper  BLOB NOT NULL CHECK (length(paper) = 32),         -- fingerprint of the paper in force
    size   INTEGER NOT NULL CHECK (size >= 0),               -- how many entries there are,
    head   BLOB NOT NULL CHECK (length(head) = 32),          -- and the digest of the last one
    UNIQUE (id, part),
    UNIQUE (label, part)
) STRICT;

-- The very bytes of each line of the step log, without its line feed.
CREATE TABLE entry (
    run  INTEGER NOT NULL REFERENCES run (number),
    seq  INTEGER NOT NULL CHECK (seq >= 0),
    line BLOB NOT NULL,
    hash BLOB NOT NULL CHECK (length(hash) = 32),
    PRIMARY KEY (run, seq)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER entry_is_not_changed BEFORE UPDATE ON entry
BEGIN SELECT RAISE(ABORT, 'an entry is never changed'); END;

CREATE TRIGGER entry_is_not_deleted BEFORE DELETE ON entry
BEGIN SELECT RAISE(ABORT, 'an entry is never deleted'); END;

-- Who drives a run. The kernel lock on the epoch's file says whether they are alive.
CREATE TABLE lease (
    run     INTEGER PRIMARY KEY REFERENCES run (number),
    epoch   INTEGER NOT NULL CHECK (epoch >= 1),
    exec    BLOB NOT NULL CHECK (length(exec) = 16),
    pid     INTEGER NOT NULL,
    renewed TEXT NOT NULL,
    expires TEXT NOT NULL
) STRICT;

-- Files by what they say: papers, their manifests, statements, evidence.
CREATE TABLE blob (
    digest BLOB PRIMARY KEY CHECK (length(digest) = 32),
    bytes  BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- Which papers a run was bound to; a fingerprint is the digest of a manifest in `blob`.
CREATE TABLE paper (
    run         INTEGER NOT NULL REFERENCES run (number),
    fingerprint BLOB NOT NULL REFERENCES blob (digest),
    PRIMARY KEY (run, fingerprint)
) STRICT, WITHOUT ROWID;
