"""The index of raw items: which were ever fetched, so that each arrives once and for ever; and adapters' memories."""

from alembic import op

revision = "0004"
down_revision = "0003"

STATEMENTS = """
CREATE TABLE raw_items (
    source_type text NOT NULL,
    item_id text NOT NULL,
    day date NOT NULL,
    PRIMARY KEY (source_type, item_id)
);

CREATE TABLE raw_indexes (
    source_type text PRIMARY KEY,
    table_id text NOT NULL,
    version bigint NOT NULL
);

ALTER TABLE source_states DROP COLUMN etag, DROP COLUMN last_modified,
    ADD COLUMN memory jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(memory) = 'object');
"""


def upgrade() -> None:
    """Create the index with the note of how far it has come, and a place for what an adapter remembers of its source."""
    op.execute(STATEMENTS)
