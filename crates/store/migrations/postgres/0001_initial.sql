-- Times are microseconds since 1970, ids 16 bytes, digests 32 bytes, JSON is text.
-- The same tables and columns, in the same order, are in ../sqlite/0001_initial.sql.
-- Names are collated as bytes, as SQLite does, so that both list them in one order.

CREATE TABLE artifacts (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    branch TEXT COLLATE "C" NOT NULL,
    -- The version of the graph at which the edges of this dependent changed last.
    edges_version BIGINT NOT NULL DEFAULT 0,
    UNIQUE (branch, kind, name)
);
CREATE INDEX artifacts_by_edges_version ON artifacts (edges_version);

CREATE TABLE counters (
    name TEXT COLLATE "C" PRIMARY KEY,
    value BIGINT NOT NULL
);
INSERT INTO counters (name, value) VALUES ('graph', 0);

-- A sender's id may be of any length and content, hence the digest as the key and bytes for the texts.
CREATE TABLE inbox (
    number BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    digest BYTEA NOT NULL UNIQUE,
    id BYTEA NOT NULL,
    topic BYTEA NOT NULL,
    body BYTEA NOT NULL,
    at BIGINT NOT NULL,
    state TEXT NOT NULL,
    detail TEXT NOT NULL
);
CREATE INDEX inbox_by_state ON inbox (state, number);
CREATE INDEX inbox_by_at ON inbox (at);

CREATE TABLE events (
    number BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id BYTEA NOT NULL UNIQUE,
    artifact BIGINT NOT NULL REFERENCES artifacts (id),
    kind TEXT COLLATE "C" NOT NULL,
    at BIGINT NOT NULL,
    state TEXT NOT NULL,
    document TEXT NOT NULL
);
CREATE INDEX events_by_state ON events (state, number);
CREATE INDEX events_by_artifact ON events (artifact, number);

CREATE TABLE tips (
    artifact BIGINT PRIMARY KEY REFERENCES artifacts (id),
    commit_id TEXT,
    moves BIGINT NOT NULL,
    at BIGINT NOT NULL
);

CREATE TABLE ref_moves (
    artifact BIGINT NOT NULL REFERENCES artifacts (id),
    number BIGINT NOT NULL,
    commit_id TEXT,
    previous TEXT,
    forced BIGINT NOT NULL,
    at BIGINT NOT NULL,
    event BYTEA,
    PRIMARY KEY (artifact, number)
);

CREATE TABLE sources (
    artifact BIGINT NOT NULL REFERENCES artifacts (id),
    commit_id TEXT NOT NULL,
    document TEXT NOT NULL,
    PRIMARY KEY (artifact, commit_id)
);

-- Without references: there are millions of them, and they are replaced as a whole.
CREATE TABLE edges (
    dependent BIGINT NOT NULL,
    provisional BIGINT NOT NULL,
    ordinal BIGINT NOT NULL,
    dependency BIGINT NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    package TEXT NOT NULL,
    evidence TEXT NOT NULL,
    PRIMARY KEY (dependent, provisional, ordinal)
);

CREATE TABLE large_sets (
    digest BYTEA PRIMARY KEY,
    size BIGINT NOT NULL,
    body BYTEA NOT NULL
);

CREATE TABLE builds (
    number BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id BYTEA NOT NULL UNIQUE,
    artifact BIGINT NOT NULL REFERENCES artifacts (id),
    commit_id TEXT NOT NULL,
    flavour TEXT NOT NULL,
    input BYTEA NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    evr TEXT NOT NULL,
    evr_key BYTEA NOT NULL,
    nvr TEXT NOT NULL UNIQUE,
    dist TEXT NOT NULL,
    snapshot BYTEA NOT NULL,
    buildroot BYTEA NOT NULL,
    attempt BIGINT NOT NULL,
    state TEXT NOT NULL,
    detail TEXT NOT NULL,
    took BIGINT,
    created BIGINT NOT NULL,
    changed BIGINT NOT NULL,
    version BIGINT NOT NULL,
    UNIQUE (artifact, commit_id, input)
);
CREATE INDEX builds_by_state ON builds (state, number);
CREATE INDEX builds_by_artifact ON builds (artifact, state, number);
CREATE INDEX builds_by_evr ON builds (artifact, evr_key);
CREATE INDEX builds_by_changed ON builds (changed);

CREATE TABLE nvr_reservations (
    nvr TEXT PRIMARY KEY,
    base TEXT NOT NULL,
    build BYTEA NOT NULL,
    at BIGINT NOT NULL
);
CREATE INDEX nvr_reservations_by_base ON nvr_reservations (base);

CREATE TABLE plans (
    number BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id BYTEA NOT NULL UNIQUE,
    parent BYTEA,
    branch TEXT COLLATE "C" NOT NULL,
    severity TEXT NOT NULL,
    created BIGINT NOT NULL,
    starts BIGINT NOT NULL,
    predicted BIGINT NOT NULL,
    size BIGINT NOT NULL,
    -- How many steps are not settled; kept by every change of a step. A plan is open while there are any.
    unsettled BIGINT NOT NULL,
    body BYTEA NOT NULL
);
CREATE INDEX plans_open ON plans (branch, number) WHERE unsettled > 0;
CREATE INDEX plans_to_start ON plans (starts) WHERE unsettled > 0;
CREATE INDEX plans_by_branch ON plans (branch, number);

CREATE TABLE plan_events (
    event BYTEA NOT NULL,
    plan BIGINT NOT NULL REFERENCES plans (number),
    PRIMARY KEY (event, plan)
);

CREATE TABLE steps (
    plan BIGINT NOT NULL REFERENCES plans (number),
    position BIGINT NOT NULL,
    artifact BIGINT NOT NULL REFERENCES artifacts (id),
    state TEXT NOT NULL,
    detail TEXT NOT NULL,
    reason TEXT NOT NULL,
    round BIGINT NOT NULL,
    previous BYTEA,
    since BIGINT NOT NULL,
    settled BIGINT NOT NULL,
    version BIGINT NOT NULL,
    PRIMARY KEY (plan, position)
);
CREATE INDEX steps_by_artifact ON steps (artifact, settled, plan);
CREATE INDEX steps_unsettled ON steps (state) WHERE settled = 0;
CREATE INDEX steps_by_since ON steps (since);

CREATE TABLE test_runs (
    number BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id BYTEA NOT NULL UNIQUE,
    artifact BIGINT NOT NULL REFERENCES artifacts (id),
    build BYTEA NOT NULL REFERENCES builds (id),
    installed BYTEA NOT NULL,
    snapshot BYTEA NOT NULL,
    with_builds TEXT NOT NULL,
    attempt BIGINT NOT NULL,
    state TEXT NOT NULL,
    detail TEXT NOT NULL,
    created BIGINT NOT NULL,
    changed BIGINT NOT NULL,
    version BIGINT NOT NULL,
    UNIQUE (build, installed)
);
CREATE INDEX test_runs_by_state ON test_runs (state, number);
CREATE INDEX test_runs_by_changed ON test_runs (changed);

CREATE TABLE results (
    number BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id BYTEA NOT NULL UNIQUE,
    run BYTEA REFERENCES test_runs (id),
    artifact BIGINT NOT NULL REFERENCES artifacts (id),
    build BYTEA NOT NULL REFERENCES builds (id),
    test_case TEXT COLLATE "C" NOT NULL,
    outcome TEXT NOT NULL,
    note TEXT NOT NULL,
    at BIGINT NOT NULL
);
CREATE INDEX results_by_build ON results (build, number);
CREATE INDEX results_by_run ON results (run);

CREATE TABLE waivers (
    number BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id BYTEA NOT NULL UNIQUE,
    artifact BIGINT NOT NULL REFERENCES artifacts (id),
    test_case TEXT COLLATE "C" NOT NULL,
    nvr TEXT,
    kind TEXT COLLATE "C" NOT NULL,
    author TEXT NOT NULL,
    reason TEXT NOT NULL,
    at BIGINT NOT NULL,
    ends BIGINT
);
CREATE INDEX waivers_by_artifact ON waivers (artifact, number);

CREATE TABLE holds (
    number BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id BYTEA NOT NULL UNIQUE,
    kind TEXT COLLATE "C" NOT NULL,
    artifact BIGINT NOT NULL REFERENCES artifacts (id),
    author TEXT NOT NULL,
    reason TEXT NOT NULL,
    at BIGINT NOT NULL,
    ends BIGINT,
    released BIGINT
);
CREATE INDEX holds_in_force ON holds (number) WHERE released IS NULL;

CREATE TABLE generations (
    branch TEXT COLLATE "C" NOT NULL,
    number BIGINT NOT NULL,
    plan BYTEA NOT NULL,
    builds BYTEA NOT NULL REFERENCES large_sets (digest),
    at BIGINT NOT NULL,
    switched BIGINT,
    PRIMARY KEY (branch, number)
);

-- What the current generation of each branch holds, so that it can be asked without unpacking one.
CREATE TABLE published (
    artifact BIGINT PRIMARY KEY REFERENCES artifacts (id),
    branch TEXT COLLATE "C" NOT NULL,
    build BYTEA NOT NULL REFERENCES builds (id),
    generation BIGINT NOT NULL
);
CREATE INDEX published_by_branch ON published (branch);

CREATE TABLE decisions (
    number BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind TEXT COLLATE "C" NOT NULL,
    at BIGINT NOT NULL,
    event BYTEA,
    plan BYTEA,
    artifact BIGINT REFERENCES artifacts (id),
    sentence TEXT NOT NULL,
    detail TEXT NOT NULL
);
CREATE INDEX decisions_by_plan ON decisions (plan, number);
CREATE INDEX decisions_by_artifact ON decisions (artifact, number);
CREATE INDEX decisions_by_event ON decisions (event, number);

CREATE TABLE outbox (
    number BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id BYTEA NOT NULL UNIQUE,
    topic TEXT NOT NULL,
    body TEXT NOT NULL,
    at BIGINT NOT NULL,
    sent BIGINT
);
CREATE INDEX outbox_unsent ON outbox (number) WHERE sent IS NULL;

CREATE TABLE leases (
    name TEXT COLLATE "C" PRIMARY KEY,
    holder TEXT NOT NULL,
    until BIGINT NOT NULL,
    epoch BIGINT NOT NULL
);

CREATE TABLE tokens (
    name TEXT COLLATE "C" PRIMARY KEY,
    secret BYTEA NOT NULL UNIQUE,
    scopes TEXT NOT NULL,
    created BIGINT NOT NULL,
    expires BIGINT,
    revoked BIGINT
);
