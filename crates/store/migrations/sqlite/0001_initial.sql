-- Times are microseconds since 1970, ids 16 bytes, digests 32 bytes, JSON is text.
-- The same tables and columns, in the same order, are in ../postgres/0001_initial.sql.

CREATE TABLE artifacts (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    branch TEXT NOT NULL,
    -- The version of the graph at which the edges of this dependent changed last.
    edges_version INTEGER NOT NULL DEFAULT 0,
    UNIQUE (branch, kind, name)
) STRICT;
CREATE INDEX artifacts_by_edges_version ON artifacts (edges_version);

CREATE TABLE counters (
    name TEXT PRIMARY KEY,
    value INTEGER NOT NULL
) STRICT;
INSERT INTO counters (name, value) VALUES ('graph', 0);

-- A sender's id may be of any length and content, hence the digest as the key and bytes for the texts.
CREATE TABLE inbox (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    digest BLOB NOT NULL UNIQUE,
    id BLOB NOT NULL,
    topic BLOB NOT NULL,
    body BLOB NOT NULL,
    at INTEGER NOT NULL,
    state TEXT NOT NULL,
    detail TEXT NOT NULL
) STRICT;
CREATE INDEX inbox_by_state ON inbox (state, number);
CREATE INDEX inbox_by_at ON inbox (at);

CREATE TABLE events (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id BLOB NOT NULL UNIQUE,
    artifact INTEGER NOT NULL REFERENCES artifacts (id),
    kind TEXT NOT NULL,
    at INTEGER NOT NULL,
    state TEXT NOT NULL,
    document TEXT NOT NULL
) STRICT;
CREATE INDEX events_by_state ON events (state, number);
CREATE INDEX events_by_artifact ON events (artifact, number);

CREATE TABLE tips (
    artifact INTEGER PRIMARY KEY REFERENCES artifacts (id),
    commit_id TEXT,
    moves INTEGER NOT NULL,
    at INTEGER NOT NULL
) STRICT;

CREATE TABLE ref_moves (
    artifact INTEGER NOT NULL REFERENCES artifacts (id),
    number INTEGER NOT NULL,
    commit_id TEXT,
    previous TEXT,
    forced INTEGER NOT NULL,
    at INTEGER NOT NULL,
    event BLOB,
    PRIMARY KEY (artifact, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE sources (
    artifact INTEGER NOT NULL REFERENCES artifacts (id),
    commit_id TEXT NOT NULL,
    document TEXT NOT NULL,
    PRIMARY KEY (artifact, commit_id)
) STRICT;

-- Without references: there are millions of them, and they are replaced as a whole.
CREATE TABLE edges (
    dependent INTEGER NOT NULL,
    provisional INTEGER NOT NULL,
    ordinal INTEGER NOT NULL,
    dependency INTEGER NOT NULL,
    kind TEXT NOT NULL,
    package TEXT NOT NULL,
    evidence TEXT NOT NULL,
    PRIMARY KEY (dependent, provisional, ordinal)
) STRICT, WITHOUT ROWID;

CREATE TABLE large_sets (
    digest BLOB PRIMARY KEY,
    size INTEGER NOT NULL,
    body BLOB NOT NULL
) STRICT;

CREATE TABLE builds (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id BLOB NOT NULL UNIQUE,
    artifact INTEGER NOT NULL REFERENCES artifacts (id),
    commit_id TEXT NOT NULL,
    flavour TEXT NOT NULL,
    input BLOB NOT NULL,
    name TEXT NOT NULL,
    evr TEXT NOT NULL,
    evr_key BLOB NOT NULL,
    nvr TEXT NOT NULL UNIQUE,
    dist TEXT NOT NULL,
    snapshot BLOB NOT NULL,
    buildroot BLOB NOT NULL,
    attempt INTEGER NOT NULL,
    state TEXT NOT NULL,
    detail TEXT NOT NULL,
    took INTEGER,
    created INTEGER NOT NULL,
    changed INTEGER NOT NULL,
    version INTEGER NOT NULL,
    UNIQUE (artifact, commit_id, input)
) STRICT;
CREATE INDEX builds_by_state ON builds (state, number);
CREATE INDEX builds_by_artifact ON builds (artifact, state, number);
CREATE INDEX builds_by_evr ON builds (artifact, evr_key);
CREATE INDEX builds_by_changed ON builds (changed);

CREATE TABLE nvr_reservations (
    nvr TEXT PRIMARY KEY,
    base TEXT NOT NULL,
    build BLOB NOT NULL,
    at INTEGER NOT NULL
) STRICT;
CREATE INDEX nvr_reservations_by_base ON nvr_reservations (base);

CREATE TABLE plans (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id BLOB NOT NULL UNIQUE,
    parent BLOB,
    branch TEXT NOT NULL,
    severity TEXT NOT NULL,
    created INTEGER NOT NULL,
    starts INTEGER NOT NULL,
    predicted INTEGER NOT NULL,
    size INTEGER NOT NULL,
    -- How many steps are not settled; kept by every change of a step. A plan is open while there are any.
    unsettled INTEGER NOT NULL,
    body BLOB NOT NULL
) STRICT;
CREATE INDEX plans_open ON plans (branch, number) WHERE unsettled > 0;
CREATE INDEX plans_to_start ON plans (starts) WHERE unsettled > 0;
CREATE INDEX plans_by_branch ON plans (branch, number);

CREATE TABLE plan_events (
    event BLOB NOT NULL,
    plan INTEGER NOT NULL REFERENCES plans (number),
    PRIMARY KEY (event, plan)
) STRICT, WITHOUT ROWID;

CREATE TABLE steps (
    plan INTEGER NOT NULL REFERENCES plans (number),
    position INTEGER NOT NULL,
    artifact INTEGER NOT NULL REFERENCES artifacts (id),
    state TEXT NOT NULL,
    detail TEXT NOT NULL,
    reason TEXT NOT NULL,
    round INTEGER NOT NULL,
    previous BLOB,
    since INTEGER NOT NULL,
    settled INTEGER NOT NULL,
    version INTEGER NOT NULL,
    PRIMARY KEY (plan, position)
) STRICT;
CREATE INDEX steps_by_artifact ON steps (artifact, settled, plan);
CREATE INDEX steps_unsettled ON steps (state) WHERE settled = 0;
CREATE INDEX steps_by_since ON steps (since);

CREATE TABLE test_runs (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id BLOB NOT NULL UNIQUE,
    artifact INTEGER NOT NULL REFERENCES artifacts (id),
    build BLOB NOT NULL REFERENCES builds (id),
    installed BLOB NOT NULL,
    snapshot BLOB NOT NULL,
    with_builds TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    state TEXT NOT NULL,
    detail TEXT NOT NULL,
    created INTEGER NOT NULL,
    changed INTEGER NOT NULL,
    version INTEGER NOT NULL,
    UNIQUE (build, installed)
) STRICT;
CREATE INDEX test_runs_by_state ON test_runs (state, number);
CREATE INDEX test_runs_by_changed ON test_runs (changed);

CREATE TABLE results (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id BLOB NOT NULL UNIQUE,
    run BLOB REFERENCES test_runs (id),
    artifact INTEGER NOT NULL REFERENCES artifacts (id),
    build BLOB NOT NULL REFERENCES builds (id),
    test_case TEXT NOT NULL,
    outcome TEXT NOT NULL,
    note TEXT NOT NULL,
    at INTEGER NOT NULL
) STRICT;
CREATE INDEX results_by_build ON results (build, number);
CREATE INDEX results_by_run ON results (run);

CREATE TABLE waivers (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id BLOB NOT NULL UNIQUE,
    artifact INTEGER NOT NULL REFERENCES artifacts (id),
    test_case TEXT NOT NULL,
    nvr TEXT,
    kind TEXT NOT NULL,
    author TEXT NOT NULL,
    reason TEXT NOT NULL,
    at INTEGER NOT NULL,
    ends INTEGER
) STRICT;
CREATE INDEX waivers_by_artifact ON waivers (artifact, number);

CREATE TABLE holds (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id BLOB NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    artifact INTEGER NOT NULL REFERENCES artifacts (id),
    author TEXT NOT NULL,
    reason TEXT NOT NULL,
    at INTEGER NOT NULL,
    ends INTEGER,
    released INTEGER
) STRICT;
CREATE INDEX holds_in_force ON holds (number) WHERE released IS NULL;

CREATE TABLE generations (
    branch TEXT NOT NULL,
    number INTEGER NOT NULL,
    plan BLOB NOT NULL,
    builds BLOB NOT NULL REFERENCES large_sets (digest),
    at INTEGER NOT NULL,
    switched INTEGER,
    PRIMARY KEY (branch, number)
) STRICT;

-- What the current generation of each branch holds, so that it can be asked without unpacking one.
CREATE TABLE published (
    artifact INTEGER PRIMARY KEY REFERENCES artifacts (id),
    branch TEXT NOT NULL,
    build BLOB NOT NULL REFERENCES builds (id),
    generation INTEGER NOT NULL
) STRICT;
CREATE INDEX published_by_branch ON published (branch);

CREATE TABLE decisions (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL,
    at INTEGER NOT NULL,
    event BLOB,
    plan BLOB,
    artifact INTEGER REFERENCES artifacts (id),
    sentence TEXT NOT NULL,
    detail TEXT NOT NULL
) STRICT;
CREATE INDEX decisions_by_plan ON decisions (plan, number);
CREATE INDEX decisions_by_artifact ON decisions (artifact, number);
CREATE INDEX decisions_by_event ON decisions (event, number);

CREATE TABLE outbox (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id BLOB NOT NULL UNIQUE,
    topic TEXT NOT NULL,
    body TEXT NOT NULL,
    at INTEGER NOT NULL,
    sent INTEGER
) STRICT;
CREATE INDEX outbox_unsent ON outbox (number) WHERE sent IS NULL;

CREATE TABLE leases (
    name TEXT PRIMARY KEY,
    holder TEXT NOT NULL,
    until INTEGER NOT NULL,
    epoch INTEGER NOT NULL
) STRICT;

CREATE TABLE tokens (
    name TEXT PRIMARY KEY,
    secret BLOB NOT NULL UNIQUE,
    scopes TEXT NOT NULL,
    created INTEGER NOT NULL,
    expires INTEGER,
    revoked INTEGER
) STRICT;
