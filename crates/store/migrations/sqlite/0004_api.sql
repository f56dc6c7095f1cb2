-- What the HTTP API remembers: who wrote what, what changed in which order, who is logged in, and which artifact makes
-- which package.

-- A row without a status is a write that was begun and whose end was not recorded.
CREATE TABLE audit (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,
    actor TEXT NOT NULL,
    remote TEXT NOT NULL,
    method TEXT NOT NULL,
    path TEXT NOT NULL,
    body BLOB NOT NULL,
    request TEXT NOT NULL,
    status INTEGER
) STRICT;
CREATE INDEX audit_by_actor ON audit (actor, number);

-- What changed, for whoever follows it: written by the triggers below, so that nobody who changes a step can forget to.
-- Rows are read by (xact, number). On PostgreSQL the number is given before the commit, and a lower one may become
-- visible later than a higher one; the transaction's id lets a reader wait for those. SQLite has one writer: it is 0.
CREATE TABLE changes (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    xact INTEGER NOT NULL DEFAULT 0,
    what TEXT NOT NULL,
    subject INTEGER NOT NULL,
    plan INTEGER,
    artifact INTEGER,
    state TEXT NOT NULL,
    at INTEGER NOT NULL
) STRICT;
CREATE INDEX changes_in_order ON changes (xact, number);

CREATE TRIGGER changes_of_decisions AFTER INSERT ON decisions BEGIN
    INSERT INTO changes (what, subject, plan, artifact, state, at) VALUES
        ('decision', NEW.number, (SELECT number FROM plans WHERE id = NEW.plan), NEW.artifact, NEW.kind, NEW.at);
END;

CREATE TRIGGER changes_of_plans AFTER INSERT ON plans BEGIN
    INSERT INTO changes (what, subject, plan, artifact, state, at) VALUES
        ('plan', NEW.number, NEW.number, NULL, 'planned', NEW.created);
END;

CREATE TRIGGER changes_of_steps AFTER UPDATE OF detail ON steps WHEN OLD.detail <> NEW.detail BEGIN
    INSERT INTO changes (what, subject, plan, artifact, state, at) VALUES
        ('step', NEW.position, NEW.plan, NEW.artifact, NEW.state, NEW.since);
END;

CREATE TRIGGER changes_of_new_builds AFTER INSERT ON builds BEGIN
    INSERT INTO changes (what, subject, plan, artifact, state, at) VALUES
        ('build', NEW.number, NULL, NEW.artifact, NEW.state, NEW.changed);
END;

CREATE TRIGGER changes_of_builds AFTER UPDATE OF detail ON builds WHEN OLD.detail <> NEW.detail BEGIN
    INSERT INTO changes (what, subject, plan, artifact, state, at) VALUES
        ('build', NEW.number, NULL, NEW.artifact, NEW.state, NEW.changed);
END;

CREATE TRIGGER changes_of_new_test_runs AFTER INSERT ON test_runs BEGIN
    INSERT INTO changes (what, subject, plan, artifact, state, at) VALUES
        ('test-run', NEW.number, NULL, NEW.artifact, NEW.state, NEW.changed);
END;

CREATE TRIGGER changes_of_test_runs AFTER UPDATE OF detail ON test_runs WHEN OLD.detail <> NEW.detail BEGIN
    INSERT INTO changes (what, subject, plan, artifact, state, at) VALUES
        ('test-run', NEW.number, NULL, NEW.artifact, NEW.state, NEW.changed);
END;

-- Which artifacts a package of this name was ever built from.
CREATE TABLE built_packages (
    name TEXT NOT NULL,
    artifact INTEGER NOT NULL REFERENCES artifacts (id),
    PRIMARY KEY (name, artifact)
) STRICT, WITHOUT ROWID;

-- What images and composes carry: the packages and images in their builds, from the published one on.
CREATE TABLE carried (
    what TEXT NOT NULL,
    name TEXT NOT NULL,
    artifact INTEGER NOT NULL REFERENCES artifacts (id),
    build INTEGER NOT NULL,
    arch TEXT NOT NULL,
    evr TEXT NOT NULL,
    evr_key BLOB NOT NULL,
    PRIMARY KEY (what, name, artifact, build, arch, evr)
) STRICT, WITHOUT ROWID;
CREATE INDEX carried_by_build ON carried (artifact, build);

-- People who logged in; the secret is in their browser, its digest here.
CREATE TABLE sessions (
    secret BLOB PRIMARY KEY,
    name TEXT NOT NULL,
    scopes TEXT NOT NULL,
    created INTEGER NOT NULL,
    ends INTEGER NOT NULL
) STRICT;

-- Listings are walked in their order, a page at a time, and stop when the page is full.
CREATE INDEX artifacts_by_name ON artifacts (name, kind, branch);
CREATE INDEX results_by_artifact ON results (artifact, number);
CREATE INDEX events_by_kind ON events (kind, number);
CREATE INDEX decisions_by_kind ON decisions (kind, number);
CREATE INDEX plans_open_in_order ON plans (number) WHERE unsettled > 0;
CREATE INDEX steps_open_in_order ON steps (plan, position) WHERE settled = 0;
DROP INDEX steps_unsettled;
CREATE INDEX steps_unsettled ON steps (state, plan, position) WHERE settled = 0;
