"""Data health: the newest result of each check, the verdict with its history; and refused records, which are no failures.

A record that the evidence contract refused is `noted`: it is counted apart and nobody must act on it.
"""

from alembic import op

revision = "0011"
down_revision = "0010"

STATEMENTS = """
CREATE TABLE data_health_checks (
    subject text NOT NULL,
    check_name text NOT NULL,
    severity text NOT NULL CHECK (severity IN ('warn', 'error')),
    blocks text NOT NULL,
    problem text NOT NULL,
    days text[] NOT NULL DEFAULT '{}',
    checked_at timestamptz NOT NULL,
    breached_at timestamptz NOT NULL DEFAULT '-infinity',
    changed_at timestamptz NOT NULL,
    PRIMARY KEY (subject, check_name)
);

CREATE TABLE data_health_verdict (
    id integer PRIMARY KEY DEFAULT 1 CHECK (id = 1),
    as_of timestamptz NOT NULL,
    entries_open boolean NOT NULL,
    reasons jsonb NOT NULL CHECK (jsonb_typeof(reasons) = 'array'),
    warnings jsonb NOT NULL CHECK (jsonb_typeof(warnings) = 'array'),
    changed_at timestamptz NOT NULL,
    CHECK (entries_open = (jsonb_array_length(reasons) = 0))
);

CREATE TABLE data_health_history (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    as_of timestamptz NOT NULL,
    entries_open boolean NOT NULL,
    reasons jsonb NOT NULL,
    warnings jsonb NOT NULL
);
CREATE INDEX data_health_history_newest ON data_health_history (as_of DESC);

ALTER TABLE failures DROP CONSTRAINT failures_status_check,
    ADD CONSTRAINT failures_status_check CHECK (status IN ('open', 'replay', 'resolved', 'dismissed', 'noted'));
UPDATE failures SET status = 'noted' WHERE stage = 'refused_records' AND status = 'open';
CREATE INDEX failures_noted ON failures (stage, last_at DESC) WHERE status = 'noted';
"""


def upgrade() -> None:
    """Create the tables, and take what was refused out of what is open."""
    op.execute(STATEMENTS)
