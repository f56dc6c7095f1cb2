-- What was removed from the disk by policy, and what is about to be. The intent comes first; `removed` says it is done.
CREATE TABLE removals (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    reason TEXT NOT NULL,
    bytes INTEGER NOT NULL,
    decided INTEGER NOT NULL,
    removed INTEGER
) STRICT;
CREATE INDEX removals_by_subject ON removals (kind, subject, number);
CREATE INDEX removals_pending ON removals (number) WHERE removed IS NULL;

-- Builds whose outputs nobody uses, and since when.
CREATE TABLE unused_outputs (
    build BLOB PRIMARY KEY REFERENCES builds (id),
    since INTEGER NOT NULL
) STRICT;

-- When retention was asked for and when it took place, by name.
CREATE TABLE retention_times (
    name TEXT PRIMARY KEY,
    at INTEGER NOT NULL
) STRICT;
