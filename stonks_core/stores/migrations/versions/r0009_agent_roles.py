"""Agents: the part each plays, so that users make agents of their own; what was changed outlives the agent."""

from alembic import op

revision = "0009"
down_revision = "0008"

STATEMENTS = """
ALTER TABLE ai_agents ADD COLUMN role text, ADD COLUMN created_at timestamptz NOT NULL DEFAULT now();
UPDATE ai_agents SET role = agent;
ALTER TABLE ai_agents ALTER COLUMN role SET NOT NULL,
    ADD CHECK (role IN ('document-extractor', 'event-classifier', 'thesis-rewriter'));

ALTER TABLE agent_history DROP CONSTRAINT agent_history_agent_fkey;
"""


def upgrade() -> None:
    """Give agents a role."""
    op.execute(STATEMENTS)
