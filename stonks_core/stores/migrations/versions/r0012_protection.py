"""Protection: stops at rest at the broker, guards, splits and renames of what is held, and a second, conservative profit."""

from alembic import op

revision = "0012"
down_revision = "0011"

STATEMENTS = """
ALTER TABLE trading_decisions DROP CONSTRAINT trading_decisions_kind_check, ADD CONSTRAINT trading_decisions_kind_check
    CHECK (kind IN ('recommendation', 'stop', 'take_profit', 'micro_exit', 'trim', 'override', 'flatten',
        'protective_stop'));
ALTER TABLE orders DROP CONSTRAINT orders_purpose_check, ADD CONSTRAINT orders_purpose_check
    CHECK (purpose IN ('entry', 'exit', 'stop', 'take_profit', 'trim', 'override', 'flatten', 'protective_stop')),
    ADD CHECK (purpose <> 'protective_stop' OR (side = 'sell' AND type = 'stop')),
    ADD COLUMN bid numeric CHECK (bid > 0),
    ADD COLUMN ask numeric CHECK (ask > 0),
    ADD COLUMN typical_volume numeric CHECK (typical_volume >= 0);

ALTER TABLE positions
    ADD COLUMN protection text NOT NULL DEFAULT '' CHECK (protection IN ('', 'broker', 'monitored', 'none')),
    ADD COLUMN protection_note text NOT NULL DEFAULT '',
    ADD COLUMN unprotected_since timestamptz,
    ADD COLUMN alarmed boolean NOT NULL DEFAULT false,
    ADD COLUMN conservative_cost numeric NOT NULL DEFAULT 0 CHECK (conservative_cost >= 0),
    ADD COLUMN conservative_pnl numeric NOT NULL DEFAULT 0,
    ADD CHECK ((protection = 'none') = (unprotected_since IS NOT NULL));
UPDATE positions SET conservative_cost = cost, conservative_pnl = realised_pnl;
ALTER TABLE position_stop_levels DROP COLUMN protection,
    ADD COLUMN scale numeric NOT NULL DEFAULT 1 CHECK (scale > 0);
CREATE OR REPLACE FUNCTION stops_never_fall() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.opened_at = OLD.opened_at AND NEW.scale = OLD.scale AND NEW.stop < OLD.stop THEN
        RAISE EXCEPTION 'the stop of % stands at % and cannot fall to %', OLD.ticker, OLD.stop, NEW.stop
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;

ALTER TABLE fills
    ADD COLUMN conservative_price numeric CHECK (conservative_price > 0),
    ADD COLUMN conservative_fee numeric CHECK (conservative_fee >= 0),
    ADD COLUMN conservative_pnl numeric NOT NULL DEFAULT 0;
UPDATE fills SET conservative_pnl = realised_pnl;
ALTER TABLE portfolio_snapshots
    ADD COLUMN conservative_realised_pnl numeric,
    ADD COLUMN conservative_unrealised_pnl numeric;

CREATE TABLE position_adjustments (
    account_id text NOT NULL REFERENCES broker_accounts,
    ticker text NOT NULL,
    kind text NOT NULL CHECK (kind IN ('split', 'rename')),
    ex_date date NOT NULL,
    effective_at timestamptz NOT NULL,
    ratio numeric CHECK (ratio > 0),
    paid_out numeric NOT NULL DEFAULT 0 CHECK (paid_out >= 0),
    new_ticker text CHECK (new_ticker <> ticker),
    quantity_before numeric NOT NULL,
    quantity_after numeric NOT NULL,
    stop_before numeric,
    stop_after numeric,
    sentence text NOT NULL,
    applied_at timestamptz NOT NULL,
    PRIMARY KEY (account_id, ticker, kind, ex_date),
    CHECK ((kind = 'split') = (ratio IS NOT NULL)),
    CHECK ((kind = 'rename') = (new_ticker IS NOT NULL))
);

CREATE TABLE engine_guards (
    guard text PRIMARY KEY CHECK (guard IN ('clock', 'session')),
    holds boolean NOT NULL,
    sentence text NOT NULL,
    value double precision,
    threshold double precision,
    since timestamptz NOT NULL,
    checked_at timestamptz NOT NULL
);
"""


def upgrade() -> None:
    """Add what protection, guards, adjustments and the conservative profit store."""
    op.execute(STATEMENTS)
