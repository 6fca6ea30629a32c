"""Registry: companies, aliases, watchlists, sources, exposure profiles and competitors."""

from alembic import op

revision = "0001"
down_revision = None

STATEMENTS = """
CREATE TABLE companies (
    company_id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    ticker text NOT NULL CHECK (ticker ~ '^[A-Z0-9][A-Z0-9.-]{0,11}$'),
    legal_name text NOT NULL CHECK (legal_name <> ''),
    sector text NOT NULL DEFAULT '',
    industry text NOT NULL DEFAULT '',
    cik bigint CHECK (cik > 0),
    exchange text NOT NULL DEFAULT '',
    active boolean NOT NULL DEFAULT true,
    valid_from timestamptz NOT NULL DEFAULT '-infinity',
    valid_to timestamptz NOT NULL DEFAULT 'infinity',
    version integer NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CHECK (valid_from < valid_to)
);
CREATE UNIQUE INDEX companies_one_current_ticker ON companies (ticker) WHERE valid_to = 'infinity';

CREATE TABLE company_aliases (
    alias_id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    company_id uuid NOT NULL REFERENCES companies ON DELETE CASCADE,
    alias text NOT NULL CHECK (alias <> ''),
    created_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (company_id, alias)
);

CREATE TABLE watchlists (
    watchlist_id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    name text NOT NULL UNIQUE CHECK (name <> ''),
    description text NOT NULL DEFAULT '',
    version integer NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE watchlist_members (
    watchlist_id uuid NOT NULL REFERENCES watchlists ON DELETE CASCADE,
    company_id uuid NOT NULL REFERENCES companies ON DELETE CASCADE,
    added_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (watchlist_id, company_id)
);

CREATE TABLE sources (
    source_id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    company_id uuid REFERENCES companies ON DELETE CASCADE,
    source_type text NOT NULL
        CHECK (source_type IN ('market_api', 'news_api', 'filings_api', 'web_scrape', 'broker', 'macro_news')),
    name text NOT NULL CHECK (name <> ''),
    config jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(config) = 'object'),
    credibility double precision NOT NULL DEFAULT 0.5 CHECK (credibility BETWEEN 0 AND 1),
    active boolean NOT NULL DEFAULT true,
    last_published_at timestamptz,
    version integer NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX sources_one_name ON sources (source_type, name, COALESCE(company_id::text, ''));

CREATE TABLE exposure_profiles (
    company_id uuid PRIMARY KEY REFERENCES companies ON DELETE CASCADE,
    revenue_by_region jsonb NOT NULL DEFAULT '{}',
    commodity_sensitivity jsonb NOT NULL DEFAULT '{}',
    supply_chain_regions jsonb NOT NULL DEFAULT '[]',
    basis text NOT NULL DEFAULT 'sector default',
    version integer NOT NULL DEFAULT 1,
    updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE competitor_relationships (
    company_id uuid NOT NULL REFERENCES companies ON DELETE CASCADE,
    competitor_id uuid NOT NULL REFERENCES companies ON DELETE CASCADE,
    relationship text NOT NULL CHECK (relationship IN
        ('direct_competitor', 'substitute', 'sector_peer', 'supplier', 'customer', 'partner')),
    strength double precision NOT NULL CHECK (strength BETWEEN 0 AND 1),
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (company_id, competitor_id),
    CHECK (company_id <> competitor_id)
);
"""


def upgrade() -> None:
    """Create the registry's tables."""
    op.execute(STATEMENTS)
