-- What a plan is made for: real, proposed (it waits for a person), dry-run.
ALTER TABLE plans ADD COLUMN mode TEXT NOT NULL DEFAULT 'real';
CREATE INDEX plans_proposed ON plans (number) WHERE mode = 'proposed' AND unsettled > 0;

-- Who allowed a proposed plan to touch more than its rule does.
CREATE TABLE approvals (
    plan BYTEA PRIMARY KEY,
    author TEXT NOT NULL,
    reason TEXT NOT NULL,
    at BIGINT NOT NULL
);

-- The period of each rule on time that came last.
CREATE TABLE timers (
    rule TEXT COLLATE "C" PRIMARY KEY,
    period BIGINT NOT NULL
);
