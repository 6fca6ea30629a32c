"""Notifications: a copy of each notice for each channel, how channels are set up, and a wake-up for whoever delivers."""

from alembic import op

revision = "0010"
down_revision = "0009"

STATEMENTS = """
ALTER TABLE notifications
    ADD COLUMN notice_id bigint REFERENCES notifications ON DELETE CASCADE,
    ADD COLUMN attempts integer NOT NULL DEFAULT 0,
    ADD COLUMN next_attempt_at timestamptz,
    ADD COLUMN ended_at timestamptz;
CREATE INDEX notifications_queued ON notifications (next_attempt_at) WHERE status = 'queued';
CREATE INDEX notifications_of_notice ON notifications (notice_id) WHERE notice_id IS NOT NULL;

CREATE TABLE notification_channels (
    channel text PRIMARY KEY,
    enabled boolean NOT NULL DEFAULT true,
    severity text NOT NULL CHECK (severity IN ('info', 'warning', 'critical')),
    per_hour integer NOT NULL CHECK (per_hour >= 1),
    version integer NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
);

CREATE FUNCTION wake_the_messenger() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('stonks_notifications', '');
    RETURN NULL;
END $$;
CREATE TRIGGER notices_wake AFTER INSERT ON notifications
    FOR EACH STATEMENT EXECUTE FUNCTION wake_the_messenger();
"""


def upgrade() -> None:
    """Let notices leave this machine."""
    op.execute(STATEMENTS)
