"""The registry over time: what a company was called and was, its aliases, exposure and competitors, each with validity.

`companies` keeps the newest state, `company_history` every state. A trigger holds the two together: a new company opens its
first state, and a plain UPDATE of a company corrects its newest state; an edit that takes effect at an instant closes the
newest state and opens another before it touches the company. What was there already is taken to have been so always.
"""

from alembic import op

revision = "0005"
down_revision = "0004"

STATEMENTS = """
-- A range of one text lets an exclusion constraint compare texts for equality without the extension btree_gist.
CREATE TYPE text_span AS RANGE (subtype = text, collation = "C");

CREATE TABLE company_history (
    company_id uuid NOT NULL REFERENCES companies ON DELETE CASCADE,
    ticker text NOT NULL CHECK (ticker ~ '^[A-Z0-9][A-Z0-9.-]{0,11}$'),
    legal_name text NOT NULL CHECK (legal_name <> ''),
    sector text NOT NULL,
    industry text NOT NULL,
    cik bigint CHECK (cik > 0),
    exchange text NOT NULL,
    active boolean NOT NULL,
    valid_from timestamptz NOT NULL,
    valid_to timestamptz NOT NULL DEFAULT 'infinity',
    recorded_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (company_id, valid_from),
    CHECK (valid_from < valid_to),
    CONSTRAINT one_company_per_ticker
        EXCLUDE USING gist (text_span(ticker, ticker, '[]') WITH &&, tstzrange(valid_from, valid_to) WITH &&),
    CONSTRAINT one_state_per_company
        EXCLUDE USING gist (text_span(company_id::text, company_id::text, '[]') WITH &&,
                            tstzrange(valid_from, valid_to) WITH &&)
);
CREATE INDEX company_history_by_ticker ON company_history (ticker);

INSERT INTO company_history (company_id, ticker, legal_name, sector, industry, cik, exchange, active, valid_from, valid_to)
SELECT company_id, ticker, legal_name, sector, industry, cik, exchange, active, valid_from, valid_to FROM companies;

CREATE FUNCTION company_history_follows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO company_history (company_id, ticker, legal_name, sector, industry, cik, exchange, active,
                                     valid_from, valid_to)
        VALUES (NEW.company_id, NEW.ticker, NEW.legal_name, NEW.sector, NEW.industry, NEW.cik, NEW.exchange, NEW.active,
                NEW.valid_from, NEW.valid_to);
    ELSE
        UPDATE company_history h
        SET ticker = NEW.ticker, legal_name = NEW.legal_name, sector = NEW.sector, industry = NEW.industry, cik = NEW.cik,
            exchange = NEW.exchange, active = NEW.active, valid_to = NEW.valid_to, recorded_at = now()
        WHERE h.company_id = NEW.company_id
          AND h.valid_from = (SELECT max(n.valid_from) FROM company_history n WHERE n.company_id = NEW.company_id)
          AND (h.ticker, h.legal_name, h.sector, h.industry, h.cik, h.exchange, h.active, h.valid_to) IS DISTINCT FROM
              (NEW.ticker, NEW.legal_name, NEW.sector, NEW.industry, NEW.cik, NEW.exchange, NEW.active, NEW.valid_to);
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER company_history_follows AFTER INSERT OR UPDATE ON companies
    FOR EACH ROW EXECUTE FUNCTION company_history_follows();

ALTER TABLE company_aliases
    DROP CONSTRAINT company_aliases_company_id_alias_key,
    ADD COLUMN valid_from timestamptz NOT NULL DEFAULT '-infinity',
    ADD COLUMN valid_to timestamptz NOT NULL DEFAULT 'infinity',
    ADD COLUMN version integer NOT NULL DEFAULT 1,
    ADD CONSTRAINT company_aliases_validity CHECK (valid_from < valid_to),
    ADD CONSTRAINT one_alias_at_a_time
        EXCLUDE USING gist (text_span(company_id::text || ' ' || alias, company_id::text || ' ' || alias, '[]') WITH &&,
                            tstzrange(valid_from, valid_to) WITH &&);
CREATE INDEX company_aliases_of_company ON company_aliases (company_id);

ALTER TABLE exposure_profiles
    DROP CONSTRAINT exposure_profiles_pkey,
    ADD COLUMN profile_id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    ADD COLUMN valid_from timestamptz NOT NULL DEFAULT '-infinity',
    ADD COLUMN valid_to timestamptz NOT NULL DEFAULT 'infinity',
    ADD CONSTRAINT exposure_profiles_validity CHECK (valid_from < valid_to),
    ADD CONSTRAINT one_profile_at_a_time
        EXCLUDE USING gist (text_span(company_id::text, company_id::text, '[]') WITH &&,
                            tstzrange(valid_from, valid_to) WITH &&);

ALTER TABLE competitor_relationships
    DROP CONSTRAINT competitor_relationships_pkey,
    ADD COLUMN relationship_id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    ADD COLUMN valid_from timestamptz NOT NULL DEFAULT '-infinity',
    ADD COLUMN valid_to timestamptz NOT NULL DEFAULT 'infinity',
    ADD COLUMN version integer NOT NULL DEFAULT 1,
    ADD CONSTRAINT competitor_relationships_validity CHECK (valid_from < valid_to),
    ADD CONSTRAINT one_relationship_at_a_time
        EXCLUDE USING gist (text_span(company_id::text || competitor_id::text, company_id::text || competitor_id::text, '[]')
                            WITH &&, tstzrange(valid_from, valid_to) WITH &&);
CREATE INDEX competitor_relationships_of_competitor ON competitor_relationships (competitor_id);

ALTER TABLE watchlists ADD COLUMN updated_at timestamptz NOT NULL DEFAULT now();
"""


def upgrade() -> None:
    """Give the registry its history."""
    op.execute(STATEMENTS)
