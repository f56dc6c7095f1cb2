-- What people should know: one row for each cause. The members are artifacts, as JSON.
CREATE TABLE notices (
    number BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id BYTEA NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    cause BYTEA,
    plan BYTEA,
    about BYTEA,
    opened BIGINT NOT NULL,
    changed BIGINT NOT NULL,
    told BIGINT,
    -- Whether something of it may still change.
    is_open BIGINT NOT NULL,
    text TEXT,
    members TEXT NOT NULL
);
CREATE INDEX notices_open ON notices (changed) WHERE is_open = 1;
CREATE INDEX notices_untold ON notices (number) WHERE told IS NULL;

CREATE TABLE subscriptions (
    number BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    document TEXT NOT NULL,
    created BIGINT NOT NULL
);

-- Word on its way to somebody: an outbox of its own, since each row has its own fate.
CREATE TABLE deliveries (
    number BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id BYTEA NOT NULL UNIQUE,
    person TEXT NOT NULL,
    channel TEXT NOT NULL,
    pace TEXT NOT NULL,
    follows BYTEA,
    due BIGINT NOT NULL,
    attempts BIGINT NOT NULL,
    state TEXT NOT NULL,
    detail TEXT NOT NULL,
    created BIGINT NOT NULL
);
CREATE INDEX deliveries_due ON deliveries (due) WHERE state IN ('waiting', 'retrying');
CREATE INDEX deliveries_by_state ON deliveries (state, number);

CREATE TABLE delivered_notices (
    notice BIGINT NOT NULL REFERENCES notices (number),
    delivery BIGINT NOT NULL REFERENCES deliveries (number),
    PRIMARY KEY (notice, delivery)
);
CREATE INDEX delivered_notices_by_delivery ON delivered_notices (delivery, notice);
