-- What people should know: one row for each cause. The members are artifacts, as JSON.
CREATE TABLE notices (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id BLOB NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    cause BLOB,
    plan BLOB,
    about BLOB,
    opened INTEGER NOT NULL,
    changed INTEGER NOT NULL,
    told INTEGER,
    -- Whether something of it may still change.
    is_open INTEGER NOT NULL,
    text TEXT,
    members TEXT NOT NULL
) STRICT;
CREATE INDEX notices_open ON notices (changed) WHERE is_open = 1;
CREATE INDEX notices_untold ON notices (number) WHERE told IS NULL;

CREATE TABLE subscriptions (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    document TEXT NOT NULL,
    created INTEGER NOT NULL
) STRICT;

-- Word on its way to somebody: an outbox of its own, since each row has its own fate.
CREATE TABLE deliveries (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id BLOB NOT NULL UNIQUE,
    person TEXT NOT NULL,
    channel TEXT NOT NULL,
    pace TEXT NOT NULL,
    follows BLOB,
    due INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    state TEXT NOT NULL,
    detail TEXT NOT NULL,
    created INTEGER NOT NULL
) STRICT;
CREATE INDEX deliveries_due ON deliveries (due) WHERE state IN ('waiting', 'retrying');
CREATE INDEX deliveries_by_state ON deliveries (state, number);

CREATE TABLE delivered_notices (
    notice INTEGER NOT NULL REFERENCES notices (number),
    delivery INTEGER NOT NULL REFERENCES deliveries (number),
    PRIMARY KEY (notice, delivery)
) STRICT, WITHOUT ROWID;
CREATE INDEX delivered_notices_by_delivery ON delivered_notices (delivery, notice);
