"""What an operator asks of the engine: requests done once, approvals re-checked, limits with a history, a fresh start.

`engine_control` keeps the switches that stand; what is to be done once is a row of `engine_requests`.
"""

from alembic import op

revision = "0013"
down_revision = "0012"

STATEMENTS = """
CREATE TABLE engine_requests (
    request_id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    account_id text NOT NULL REFERENCES broker_accounts,
    kind text NOT NULL CHECK (kind IN ('cancel_all', 'cancel_entries', 'flatten', 'reset', 'override_order')),
    idempotency_key text NOT NULL DEFAULT '',
    detail jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(detail) = 'object'),
    reason text NOT NULL CHECK (reason <> ''),
    asked_by text NOT NULL CHECK (asked_by <> ''),
    asked_at timestamptz NOT NULL,
    valid_until timestamptz,
    began_at timestamptz,
    done_at timestamptz,
    outcome text NOT NULL DEFAULT '' CHECK (outcome IN ('', 'done', 'refused', 'withdrawn')),
    note text NOT NULL DEFAULT '',
    CHECK ((done_at IS NULL) = (outcome = ''))
);
CREATE INDEX engine_requests_newest ON engine_requests (asked_at DESC, request_id);
CREATE UNIQUE INDEX engine_requests_once ON engine_requests (account_id, idempotency_key) WHERE idempotency_key <> '';
CREATE UNIQUE INDEX engine_requests_one_open ON engine_requests (account_id, kind)
    WHERE done_at IS NULL AND kind <> 'override_order';

INSERT INTO engine_requests (account_id, kind, reason, asked_by, asked_at)
SELECT a.account_id, c.key, COALESCE(NULLIF(c.reason, ''), 'asked before requests were rows'), c.updated_by, c.updated_at
FROM engine_control c, (SELECT account_id FROM broker_accounts ORDER BY synced_at DESC LIMIT 1) a
WHERE c.key IN ('cancel_all', 'flatten') AND c.value = 'true' AND c.done_at IS NULL;
DELETE FROM engine_control WHERE key IN ('cancel_all', 'flatten');
ALTER TABLE engine_control DROP COLUMN done_at, DROP CONSTRAINT engine_control_key_check,
    ADD CONSTRAINT engine_control_key_check
        CHECK (key IN ('paused', 'kill_switch', 'entries_closed', 'auto_tier', 'rebalanced_at'));

CREATE TABLE risk_config_history (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    key text NOT NULL,
    was jsonb,
    "is" jsonb,
    actor text NOT NULL,
    reason text NOT NULL,
    at timestamptz NOT NULL
);
CREATE INDEX risk_config_history_of_key ON risk_config_history (key, id DESC);

ALTER TABLE approval_requests
    ADD COLUMN rechecked_at timestamptz,
    ADD COLUMN recheck text NOT NULL DEFAULT '' CHECK (recheck IN ('', 'eligible', 'refused', 'lapsed')),
    ADD COLUMN recheck_evaluation_id uuid REFERENCES risk_evaluations,
    ADD CONSTRAINT only_what_is_approved_is_checked_again CHECK (recheck = '' OR status = 'approved'),
    ADD CONSTRAINT a_check_has_its_instant CHECK ((recheck = '') = (rechecked_at IS NULL));
CREATE INDEX approval_requests_newest ON approval_requests (requested_at DESC, approval_id);

ALTER TABLE risk_evaluations
    ADD COLUMN source text NOT NULL DEFAULT 'order' CHECK (source IN ('order', 'approval', 'asked')),
    ADD COLUMN proposal jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(proposal) = 'object');
CREATE INDEX risk_evaluations_newest ON risk_evaluations (as_of DESC, evaluation_id);

CREATE TABLE market_quotes (
    ticker text PRIMARY KEY,
    bid numeric,
    ask numeric,
    last numeric,
    quoted_at timestamptz NOT NULL,
    feed text NOT NULL
);

ALTER TABLE broker_accounts ADD COLUMN reset_at timestamptz;
"""


def upgrade() -> None:
    """Create what an operator's words to the engine are kept in."""
    op.execute(STATEMENTS)
