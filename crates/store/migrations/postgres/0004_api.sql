-- What the HTTP API remembers: who wrote what, what changed in which order, who is logged in, and which artifact makes
-- which package.

-- A row without a status is a write that was begun and whose end was not recorded.
CREATE TABLE audit (
    number BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at BIGINT NOT NULL,
    actor TEXT COLLATE "C" NOT NULL,
    remote TEXT NOT NULL,
    method TEXT NOT NULL,
    path TEXT NOT NULL,
    body BYTEA NOT NULL,
    request TEXT NOT NULL,
    status BIGINT
);
CREATE INDEX audit_by_actor ON audit (actor, number);

-- What changed, for whoever follows it: written by the triggers below, so that nobody who changes a step can forget to.
-- Rows are read by (xact, number). On PostgreSQL the number is given before the commit, and a lower one may become
-- visible later than a higher one; the transaction's id lets a reader wait for those. SQLite has one writer: it is 0.
CREATE TABLE changes (
    number BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    xact BIGINT NOT NULL DEFAULT (pg_current_xact_id()::TEXT::BIGINT),
    what TEXT COLLATE "C" NOT NULL,
    subject BIGINT NOT NULL,
    plan BIGINT,
    artifact BIGINT,
    state TEXT COLLATE "C" NOT NULL,
    at BIGINT NOT NULL
);
CREATE INDEX changes_in_order ON changes (xact, number);

CREATE FUNCTION changes_of_decisions() RETURNS TRIGGER LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO changes (what, subject, plan, artifact, state, at) VALUES
        ('decision', NEW.number, (SELECT number FROM plans WHERE id = NEW.plan), NEW.artifact, NEW.kind, NEW.at);
    RETURN NULL;
END $$;
CREATE TRIGGER changes_of_decisions AFTER INSERT ON decisions
    FOR EACH ROW EXECUTE FUNCTION changes_of_decisions();

CREATE FUNCTION changes_of_plans() RETURNS TRIGGER LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO changes (what, subject, plan, artifact, state, at) VALUES
        ('plan', NEW.number, NEW.number, NULL, 'planned', NEW.created);
    RETURN NULL;
END $$;
CREATE TRIGGER changes_of_plans AFTER INSERT ON plans
    FOR EACH ROW EXECUTE FUNCTION changes_of_plans();

CREATE FUNCTION changes_of_steps() RETURNS TRIGGER LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO changes (what, subject, plan, artifact, state, at) VALUES
        ('step', NEW.position, NEW.plan, NEW.artifact, NEW.state, NEW.since);
    RETURN NULL;
END $$;
CREATE TRIGGER changes_of_steps AFTER UPDATE OF detail ON steps
    FOR EACH ROW WHEN (OLD.detail <> NEW.detail) EXECUTE FUNCTION changes_of_steps();

CREATE FUNCTION changes_of_builds() RETURNS TRIGGER LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO changes (what, subject, plan, artifact, state, at) VALUES
        ('build', NEW.number, NULL, NEW.artifact, NEW.state, NEW.changed);
    RETURN NULL;
END $$;
CREATE TRIGGER changes_of_new_builds AFTER INSERT ON builds
    FOR EACH ROW EXECUTE FUNCTION changes_of_builds();
CREATE TRIGGER changes_of_builds AFTER UPDATE OF detail ON builds
    FOR EACH ROW WHEN (OLD.detail <> NEW.detail) EXECUTE FUNCTION changes_of_builds();

CREATE FUNCTION changes_of_test_runs() RETURNS TRIGGER LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO changes (what, subject, plan, artifact, state, at) VALUES
        ('test-run', NEW.number, NULL, NEW.artifact, NEW.state, NEW.changed);
    RETURN NULL;
END $$;
CREATE TRIGGER changes_of_new_test_runs AFTER INSERT ON test_runs
    FOR EACH ROW EXECUTE FUNCTION changes_of_test_runs();
CREATE TRIGGER changes_of_test_runs AFTER UPDATE OF detail ON test_runs
    FOR EACH ROW WHEN (OLD.detail <> NEW.detail) EXECUTE FUNCTION changes_of_test_runs();

-- Which artifacts a package of this name was ever built from.
CREATE TABLE built_packages (
    name TEXT COLLATE "C" NOT NULL,
    artifact BIGINT NOT NULL REFERENCES artifacts (id),
    PRIMARY KEY (name, artifact)
);

-- What images and composes carry: the packages and images in their builds, from the published one on.
CREATE TABLE carried (
    what TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    artifact BIGINT NOT NULL REFERENCES artifacts (id),
    build BIGINT NOT NULL,
    arch TEXT COLLATE "C" NOT NULL,
    evr TEXT COLLATE "C" NOT NULL,
    evr_key BYTEA NOT NULL,
    PRIMARY KEY (what, name, artifact, build, arch, evr)
);
CREATE INDEX carried_by_build ON carried (artifact, build);

-- People who logged in; the secret is in their browser, its digest here.
CREATE TABLE sessions (
    secret BYTEA PRIMARY KEY,
    name TEXT NOT NULL,
    scopes TEXT NOT NULL,
    created BIGINT NOT NULL,
    ends BIGINT NOT NULL
);

-- Listings are walked in their order, a page at a time, and stop when the page is full.
CREATE INDEX artifacts_by_name ON artifacts (name, kind, branch);
CREATE INDEX results_by_artifact ON results (artifact, number);
CREATE INDEX events_by_kind ON events (kind, number);
CREATE INDEX decisions_by_kind ON decisions (kind, number);
CREATE INDEX plans_open_in_order ON plans (number) WHERE unsettled > 0;
CREATE INDEX steps_open_in_order ON steps (plan, position) WHERE settled = 0;
DROP INDEX steps_unsettled;
CREATE INDEX steps_unsettled ON steps (state, plan, position) WHERE settled = 0;
