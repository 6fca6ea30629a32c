"""Agents: the base's input limit, who changed what, readings of shadow variants, and metrics by variant."""

from alembic import op

revision = "0008"
down_revision = "0007"

STATEMENTS = """
ALTER TABLE ai_agents ADD COLUMN input_token_limit integer CHECK (input_token_limit > 0);

ALTER TABLE agent_variants ADD COLUMN updated_at timestamptz NOT NULL DEFAULT now();

ALTER TABLE agent_performance_log ADD COLUMN shadow boolean NOT NULL DEFAULT false;
CREATE INDEX agent_performance_by_time ON agent_performance_log (at DESC);

ALTER TABLE model_performance_metrics ADD COLUMN variant text NOT NULL DEFAULT 'base',
    DROP CONSTRAINT model_performance_metrics_model_agent_metric_at_key,
    ADD UNIQUE (model, agent, variant, metric, at);

CREATE TABLE agent_history (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    agent text NOT NULL REFERENCES ai_agents ON DELETE CASCADE,
    variant text NOT NULL DEFAULT '',
    action text NOT NULL,
    actor text NOT NULL,
    person text NOT NULL DEFAULT '',
    reason text NOT NULL,
    version integer NOT NULL,
    changed jsonb NOT NULL,
    at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX agent_history_newest ON agent_history (agent, id DESC);

CREATE TABLE shadow_readings (
    agent text NOT NULL REFERENCES ai_agents ON DELETE CASCADE,
    variant text NOT NULL,
    config_hash text NOT NULL,
    document_id text NOT NULL,
    day date NOT NULL,
    model text NOT NULL,
    model_digest text NOT NULL DEFAULT '',
    answer_key text NOT NULL DEFAULT '',
    status text NOT NULL,
    found jsonb NOT NULL DEFAULT '[]',
    refused integer NOT NULL DEFAULT 0,
    error text NOT NULL DEFAULT '',
    read_at timestamptz NOT NULL,
    PRIMARY KEY (agent, variant, config_hash, document_id)
);
CREATE INDEX shadow_readings_by_day ON shadow_readings (agent, variant, day);
"""


def upgrade() -> None:
    """Create what variants need to be compared and changes to be answered for."""
    op.execute(STATEMENTS)
