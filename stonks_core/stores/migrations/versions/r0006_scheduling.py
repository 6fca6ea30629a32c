"""Scheduling: slots of several rate limits taken in one statement, retries that are counted, and what retention looks up.

`take_rate_slots` takes a slot of each bucket or of none. It returns 0 when they were taken, otherwise the seconds until
every bucket has one; a waiter asks again then, holding nothing meanwhile. Buckets are locked in the order of their
names, so that two callers never wait for each other, and the present is read under the locks, so that slots are
taken in the order of their instants. Slots that a clock set back has left in the future count as taken now.
"""

from alembic import op

revision = "0006"
down_revision = "0005"

STATEMENTS = """
CREATE FUNCTION take_rate_slots(buckets text[], slots integer[], seconds double precision[])
RETURNS double precision LANGUAGE plpgsql AS $$
DECLARE
    present timestamptz;
    name text;
    in_the_way timestamptz;
    wait double precision := 0;
BEGIN
    FOR name IN SELECT DISTINCT unnest(buckets) ORDER BY 1 LOOP
        PERFORM pg_advisory_xact_lock(hashtextextended('rate:' || name, 0));
    END LOOP;
    present := clock_timestamp();
    UPDATE rate_limits SET taken_at = present WHERE bucket = ANY(buckets) AND taken_at > present;
    FOR i IN 1 .. cardinality(buckets) LOOP
        DELETE FROM rate_limits
            WHERE bucket = buckets[i] AND taken_at <= present - make_interval(secs => seconds[i]);
        SELECT taken_at INTO in_the_way FROM rate_limits
            WHERE bucket = buckets[i] ORDER BY taken_at DESC OFFSET slots[i] - 1 LIMIT 1;
        IF FOUND THEN
            wait := GREATEST(wait, EXTRACT(EPOCH FROM in_the_way - present) + seconds[i], 0.001);
        END IF;
    END LOOP;
    IF wait = 0 THEN
        INSERT INTO rate_limits (bucket, taken_at) SELECT unnest(buckets), present;
    END IF;
    RETURN wait;
END $$;

ALTER TABLE failures ADD COLUMN retries integer NOT NULL DEFAULT 0 CHECK (retries >= 0);
CREATE INDEX failures_resolved ON failures (last_at) WHERE status = 'resolved';

CREATE INDEX ingestion_runs_oldest ON ingestion_runs (finished_at);
CREATE INDEX agent_performance_oldest ON agent_performance_log (at);
CREATE INDEX risk_evaluations_without_order ON risk_evaluations (as_of) WHERE order_id IS NULL;
CREATE INDEX order_events_without_change ON order_events (at) WHERE state_from = state_to;
"""


def upgrade() -> None:
    """Create the function, the column and the indexes."""
    op.execute(STATEMENTS)
