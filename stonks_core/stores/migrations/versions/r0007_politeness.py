"""What processes must agree on to be polite to other people's hosts: whose turn it is, and what robots.txt said."""

from alembic import op

revision = "0007"
down_revision = "0006"

STATEMENTS = """
CREATE TABLE host_turns (
    host text PRIMARY KEY,
    holder uuid NOT NULL,
    until timestamptz NOT NULL
);

CREATE TABLE robots_files (
    origin text PRIMARY KEY,
    content bytea NOT NULL,
    problem text NOT NULL DEFAULT '',
    expires_at timestamptz NOT NULL
);
"""


def upgrade() -> None:
    """Create both tables; their rows may be lost at any time without harm."""
    op.execute(STATEMENTS)
