"""Pipeline bookkeeping: runs, limits, failures, agents, recorded answers, control, audit and saved queries."""

from alembic import op

revision = "0002"
down_revision = "0001"

STATEMENTS = """
CREATE TABLE ingestion_runs (
    run_id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    source_id uuid NOT NULL REFERENCES sources ON DELETE CASCADE,
    day date NOT NULL,
    status text NOT NULL CHECK (status IN ('succeeded', 'failed')),
    items_seen integer NOT NULL DEFAULT 0,
    items_new integer NOT NULL DEFAULT 0,
    error text NOT NULL DEFAULT '',
    error_class text NOT NULL DEFAULT '' CHECK (error_class IN ('', 'transient', 'permanent')),
    started_at timestamptz NOT NULL,
    finished_at timestamptz NOT NULL
);
CREATE INDEX ingestion_runs_newest ON ingestion_runs (source_id, finished_at DESC);

CREATE TABLE source_states (
    source_id uuid PRIMARY KEY REFERENCES sources ON DELETE CASCADE,
    failures_in_a_row integer NOT NULL DEFAULT 0,
    last_success_at timestamptz,
    last_attempt_at timestamptz,
    next_attempt_at timestamptz NOT NULL DEFAULT '-infinity',
    parked boolean NOT NULL DEFAULT false,
    last_error text NOT NULL DEFAULT '',
    etag text NOT NULL DEFAULT '',
    last_modified text NOT NULL DEFAULT ''
);

CREATE TABLE rate_limits (
    bucket text NOT NULL,
    taken_at timestamptz NOT NULL,
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY
);
CREATE INDEX rate_limits_recent ON rate_limits (bucket, taken_at);

CREATE TABLE failures (
    failure_id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    stage text NOT NULL,
    item text NOT NULL,
    day date,
    error text NOT NULL,
    detail jsonb NOT NULL DEFAULT '{}',
    attempts integer NOT NULL DEFAULT 1,
    status text NOT NULL DEFAULT 'open' CHECK (status IN ('open', 'replay', 'resolved', 'dismissed')),
    first_at timestamptz NOT NULL,
    last_at timestamptz NOT NULL,
    UNIQUE (stage, item)
);
CREATE INDEX failures_open ON failures (stage, last_at DESC) WHERE status = 'open';

CREATE TABLE pipeline_control (
    key text PRIMARY KEY,
    value jsonb NOT NULL,
    updated_by text NOT NULL DEFAULT 'system',
    updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE ai_agents (
    agent text PRIMARY KEY,
    purpose text NOT NULL,
    model text NOT NULL DEFAULT '',
    system_prompt text NOT NULL DEFAULT '',
    options jsonb NOT NULL DEFAULT '{}',
    active boolean NOT NULL DEFAULT true,
    version integer NOT NULL DEFAULT 1,
    updated_at timestamptz NOT NULL DEFAULT now()
);
INSERT INTO ai_agents (agent, purpose, active) VALUES
    ('document-extractor', 'reads documents and says what they mean for each company', true),
    ('event-classifier', 'classifies macro events', true),
    ('thesis-rewriter', 'rewords a thesis in plainer language', false);

CREATE TABLE agent_variants (
    variant_id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    agent text NOT NULL REFERENCES ai_agents ON DELETE CASCADE,
    name text NOT NULL,
    model text NOT NULL DEFAULT '',
    system_prompt text NOT NULL DEFAULT '',
    options jsonb NOT NULL DEFAULT '{}',
    traffic_weight double precision NOT NULL DEFAULT 0 CHECK (traffic_weight BETWEEN 0 AND 1),
    token_budget_per_hour integer CHECK (token_budget_per_hour > 0),
    input_token_limit integer CHECK (input_token_limit > 0),
    shadow boolean NOT NULL DEFAULT false,
    active boolean NOT NULL DEFAULT false,
    version integer NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (agent, name)
);

CREATE TABLE agent_performance_log (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    agent text NOT NULL,
    variant text NOT NULL DEFAULT 'base',
    model text NOT NULL,
    document_id text NOT NULL,
    ok boolean NOT NULL,
    recorded boolean NOT NULL DEFAULT false,
    latency_ms double precision NOT NULL,
    prompt_tokens integer NOT NULL DEFAULT 0,
    output_tokens integer NOT NULL DEFAULT 0,
    kept integer NOT NULL DEFAULT 0,
    dropped integer NOT NULL DEFAULT 0,
    error text NOT NULL DEFAULT '',
    at timestamptz NOT NULL
);
CREATE INDEX agent_performance_recent ON agent_performance_log (agent, variant, at DESC);

CREATE TABLE model_performance_metrics (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    model text NOT NULL,
    agent text NOT NULL,
    metric text NOT NULL,
    value double precision NOT NULL,
    samples integer NOT NULL,
    at timestamptz NOT NULL,
    UNIQUE (model, agent, metric, at)
);

CREATE TABLE recorded_answers (
    answer_key text PRIMARY KEY,
    agent text NOT NULL,
    variant text NOT NULL DEFAULT 'base',
    model text NOT NULL,
    model_digest text NOT NULL,
    prompt_hash text NOT NULL,
    content_sha256 text NOT NULL,
    options jsonb NOT NULL DEFAULT '{}',
    answer text NOT NULL,
    prompt_eval_count integer NOT NULL DEFAULT 0,
    eval_count integer NOT NULL DEFAULT 0,
    duration_ms double precision NOT NULL DEFAULT 0,
    recorded_at timestamptz NOT NULL
);
CREATE INDEX recorded_answers_content ON recorded_answers (content_sha256);

CREATE TABLE risk_configs (
    key text PRIMARY KEY,
    value jsonb NOT NULL,
    note text NOT NULL DEFAULT '',
    version integer NOT NULL DEFAULT 1,
    updated_by text NOT NULL DEFAULT 'system',
    updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE audit_events (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL DEFAULT now(),
    actor text NOT NULL,
    action text NOT NULL,
    subject text NOT NULL DEFAULT '',
    reason text NOT NULL DEFAULT '',
    detail jsonb NOT NULL DEFAULT '{}'
);
CREATE INDEX audit_events_newest ON audit_events (at DESC);

CREATE TABLE saved_queries (
    query_id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    name text NOT NULL UNIQUE CHECK (name <> ''),
    sql text NOT NULL CHECK (sql <> ''),
    description text NOT NULL DEFAULT '',
    version integer NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE replay_progress (
    replay text PRIMARY KEY,
    recording text NOT NULL,
    first_day date NOT NULL,
    done_to timestamptz NOT NULL,
    updated_at timestamptz NOT NULL DEFAULT now()
);
"""


def upgrade() -> None:
    """Create the pipeline's tables."""
    op.execute(STATEMENTS)
