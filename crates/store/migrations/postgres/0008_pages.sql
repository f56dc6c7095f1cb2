-- What the pages ask for beside what the stages do.

-- Plans are listed with how many of their steps are in which state, and with their cause.
CREATE INDEX steps_by_plan_state ON steps (plan, state);
CREATE INDEX plan_events_by_plan ON plan_events (plan);

-- What failures of one cause have in common; none where nothing failed.
ALTER TABLE builds ADD COLUMN signature TEXT;
CREATE INDEX builds_by_signature ON builds (signature, number) WHERE signature IS NOT NULL;
