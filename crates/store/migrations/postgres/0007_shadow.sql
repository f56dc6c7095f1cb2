-- Plans that were made in shadow mode.
CREATE INDEX plans_in_shadow ON plans (created) WHERE mode = 'shadow';

-- What other build systems made, as they tell.
CREATE TABLE actual_builds (
    number BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    artifact BIGINT NOT NULL REFERENCES artifacts (id),
    nvr TEXT NOT NULL,
    made_by TEXT,
    system TEXT NOT NULL,
    at BIGINT NOT NULL,
    UNIQUE (artifact, nvr, system)
);
CREATE INDEX actual_builds_by_at ON actual_builds (at);

CREATE TABLE shadow_reports (
    begins BIGINT PRIMARY KEY,
    ends BIGINT NOT NULL,
    document TEXT NOT NULL,
    at BIGINT NOT NULL
);
