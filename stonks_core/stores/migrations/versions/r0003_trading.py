"""Trading: accounts, orders, fills, positions, ledgers, decisions, risk, breakers, backtests and the engine's own rows.

Money and quantities are `numeric`; whatever is a broker account's carries `account_id`, so that another account begins
with empty books. What may never happen is refused here, whoever writes: a final order that moves, a ledger whose
balance is not the sum of its rows, a stop that falls.
"""

from alembic import op

revision = "0003"
down_revision = "0002"

STATEMENTS = """
CREATE TABLE broker_accounts (
    account_id text PRIMARY KEY CHECK (account_id <> ''),
    account_number text NOT NULL DEFAULT '',
    mode text NOT NULL CHECK (mode IN ('paper', 'live')),
    sandbox boolean NOT NULL,
    status text NOT NULL,
    currency text NOT NULL DEFAULT 'USD',
    cash numeric NOT NULL,
    equity numeric NOT NULL,
    buying_power numeric NOT NULL,
    last_equity numeric,
    blocked boolean NOT NULL DEFAULT false,
    reconciled_at timestamptz,
    synced_at timestamptz NOT NULL
);

CREATE TABLE trading_decisions (
    decision_id text PRIMARY KEY CHECK (decision_id <> ''),
    account_id text NOT NULL REFERENCES broker_accounts,
    recommendation_id text,
    ticker text NOT NULL,
    kind text NOT NULL CHECK (kind IN
        ('recommendation', 'stop', 'take_profit', 'micro_exit', 'trim', 'override', 'flatten')),
    outcome text NOT NULL CHECK (outcome IN ('act', 'skip')),
    reason text NOT NULL CHECK (reason <> ''),
    sentence text NOT NULL,
    trace jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(trace) = 'object'),
    as_of timestamptz NOT NULL,
    final boolean NOT NULL,
    fencing_token bigint NOT NULL DEFAULT 0,
    times integer NOT NULL DEFAULT 1 CHECK (times >= 1),
    last_as_of timestamptz NOT NULL,
    CHECK (kind <> 'recommendation' OR recommendation_id IS NOT NULL),
    CHECK (last_as_of >= as_of)
);
CREATE INDEX trading_decisions_newest ON trading_decisions (as_of DESC);
CREATE INDEX trading_decisions_of_recommendation ON trading_decisions (recommendation_id, as_of DESC);

CREATE TABLE orders (
    order_id text PRIMARY KEY CHECK (length(order_id) BETWEEN 1 AND 48),
    account_id text NOT NULL REFERENCES broker_accounts,
    decision_id text NOT NULL REFERENCES trading_decisions,
    recommendation_id text,
    ticker text NOT NULL CHECK (ticker <> ''),
    side text NOT NULL CHECK (side IN ('buy', 'sell')),
    type text NOT NULL CHECK (type IN ('market', 'limit', 'stop', 'stop_limit')),
    time_in_force text NOT NULL DEFAULT 'day' CHECK (time_in_force IN ('day', 'gtc', 'opg', 'cls', 'ioc', 'fok')),
    purpose text NOT NULL CHECK (purpose IN
        ('entry', 'exit', 'stop', 'take_profit', 'trim', 'override', 'flatten')),
    tranche integer NOT NULL DEFAULT 1 CHECK (tranche >= 1),
    tranches integer NOT NULL DEFAULT 1,
    micro boolean NOT NULL DEFAULT false,
    notional numeric CHECK (notional > 0),
    quantity numeric CHECK (quantity > 0),
    limit_price numeric CHECK (limit_price > 0),
    stop_price numeric CHECK (stop_price > 0),
    reference_price numeric CHECK (reference_price > 0),
    state text NOT NULL DEFAULT 'intended' CHECK (state IN ('intended', 'submitting', 'unknown', 'accepted',
        'partially_filled', 'filled', 'canceled', 'expired', 'rejected')),
    reason text NOT NULL DEFAULT '',
    broker_order_id text,
    broker_code text NOT NULL DEFAULT '',
    broker_filled_quantity numeric NOT NULL DEFAULT 0 CHECK (broker_filled_quantity >= 0),
    filled_quantity numeric NOT NULL DEFAULT 0 CHECK (filled_quantity >= 0),
    filled_average_price numeric CHECK (filled_average_price > 0),
    attempts integer NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    fencing_token bigint NOT NULL DEFAULT 0,
    intended_at timestamptz NOT NULL,
    valid_until timestamptz,
    attempted_at timestamptz,
    submitted_at timestamptz,
    final_at timestamptz,
    cancel_asked_at timestamptz,
    updated_at timestamptz NOT NULL,
    CHECK (num_nonnulls(notional, quantity) = 1),
    CHECK (tranche <= tranches),
    CHECK ((type IN ('limit', 'stop_limit')) = (limit_price IS NOT NULL)),
    CHECK ((type IN ('stop', 'stop_limit')) = (stop_price IS NOT NULL)),
    UNIQUE (account_id, broker_order_id)
);
CREATE UNIQUE INDEX orders_one_per_tranche ON orders (account_id, recommendation_id, purpose, tranche)
    WHERE purpose IN ('entry', 'exit') AND recommendation_id IS NOT NULL;
CREATE INDEX orders_unfinished ON orders (account_id, intended_at)
    WHERE state NOT IN ('filled', 'canceled', 'expired', 'rejected');
CREATE INDEX orders_newest ON orders (intended_at DESC);
CREATE INDEX orders_of_decision ON orders (decision_id);
CREATE INDEX orders_of_recommendation ON orders (recommendation_id);

CREATE FUNCTION orders_keep_their_states() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.state <> OLD.state AND NOT (
        (OLD.state = 'intended' AND NEW.state IN ('submitting', 'canceled', 'expired', 'rejected'))
        OR (OLD.state = 'submitting' AND NEW.state IN
            ('unknown', 'accepted', 'partially_filled', 'filled', 'canceled', 'expired', 'rejected'))
        OR (OLD.state = 'unknown' AND NEW.state IN
            ('submitting', 'accepted', 'partially_filled', 'filled', 'canceled', 'expired', 'rejected'))
        OR (OLD.state = 'accepted' AND NEW.state IN
            ('partially_filled', 'filled', 'canceled', 'expired', 'rejected'))
        OR (OLD.state = 'partially_filled' AND NEW.state IN ('filled', 'canceled', 'expired', 'rejected'))
    ) THEN
        RAISE EXCEPTION 'order % cannot go from % to %', OLD.order_id, OLD.state, NEW.state
            USING ERRCODE = 'check_violation';
    END IF;
    IF (NEW.ticker, NEW.side, NEW.decision_id, NEW.account_id)
            IS DISTINCT FROM (OLD.ticker, OLD.side, OLD.decision_id, OLD.account_id)
            OR NEW.notional IS DISTINCT FROM OLD.notional OR NEW.quantity IS DISTINCT FROM OLD.quantity
            OR (OLD.broker_order_id IS NOT NULL AND NEW.broker_order_id IS DISTINCT FROM OLD.broker_order_id) THEN
        RAISE EXCEPTION 'order % is what was intended, and is not rewritten', OLD.order_id
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER orders_states BEFORE UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION orders_keep_their_states();

CREATE TABLE order_events (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    order_id text NOT NULL REFERENCES orders,
    at timestamptz NOT NULL,
    event text NOT NULL,
    source text NOT NULL CHECK (source IN ('engine', 'rest', 'stream', 'operator')),
    state_from text NOT NULL DEFAULT '',
    state_to text NOT NULL DEFAULT '',
    note text NOT NULL DEFAULT '',
    detail jsonb NOT NULL DEFAULT '{}'
);
CREATE INDEX order_events_of_order ON order_events (order_id, id);

CREATE TABLE fills (
    fill_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    order_id text NOT NULL REFERENCES orders,
    account_id text NOT NULL REFERENCES broker_accounts,
    execution_id text NOT NULL CHECK (execution_id <> ''),
    ticker text NOT NULL,
    side text NOT NULL CHECK (side IN ('buy', 'sell')),
    quantity numeric NOT NULL CHECK (quantity > 0),
    price numeric NOT NULL CHECK (price > 0),
    fee numeric NOT NULL DEFAULT 0 CHECK (fee >= 0),
    cumulative_quantity numeric CHECK (cumulative_quantity > 0),
    realised_pnl numeric NOT NULL DEFAULT 0,
    source text NOT NULL CHECK (source IN ('rest', 'stream')),
    executed_at timestamptz NOT NULL,
    booked_at timestamptz NOT NULL,
    UNIQUE (order_id, execution_id),
    UNIQUE (order_id, cumulative_quantity)
);
CREATE INDEX fills_of_ticker ON fills (account_id, ticker, executed_at);

CREATE TABLE positions (
    account_id text NOT NULL REFERENCES broker_accounts,
    ticker text NOT NULL,
    quantity numeric NOT NULL DEFAULT 0,
    cost numeric NOT NULL DEFAULT 0 CHECK (cost >= 0),
    realised_pnl numeric NOT NULL DEFAULT 0,
    price numeric CHECK (price > 0),
    price_at timestamptz,
    broker_quantity numeric,
    sector text NOT NULL DEFAULT '',
    micro boolean NOT NULL DEFAULT false,
    opened_at timestamptz,
    lock_reason text NOT NULL DEFAULT '',
    locked_at timestamptz,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (account_id, ticker),
    CHECK ((lock_reason = '') = (locked_at IS NULL))
);

CREATE TABLE position_stop_levels (
    account_id text NOT NULL,
    ticker text NOT NULL,
    entry numeric NOT NULL CHECK (entry > 0),
    stop numeric NOT NULL CHECK (stop > 0),
    initial_stop numeric NOT NULL CHECK (initial_stop > 0),
    take_profit numeric CHECK (take_profit > 0),
    atr numeric NOT NULL CHECK (atr > 0),
    highest numeric NOT NULL CHECK (highest > 0),
    opened_at timestamptz NOT NULL,
    protection text NOT NULL DEFAULT 'monitored' CHECK (protection IN ('monitored', 'broker')),
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (account_id, ticker),
    FOREIGN KEY (account_id, ticker) REFERENCES positions
);
CREATE FUNCTION stops_never_fall() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.opened_at = OLD.opened_at AND NEW.stop < OLD.stop THEN
        RAISE EXCEPTION 'the stop of % stands at % and cannot fall to %', OLD.ticker, OLD.stop, NEW.stop
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER stops_rise BEFORE UPDATE ON position_stop_levels FOR EACH ROW EXECUTE FUNCTION stops_never_fall();

CREATE FUNCTION ledger_balances() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    before numeric;
BEGIN
    IF TG_OP <> 'INSERT' THEN
        RAISE EXCEPTION '% is a ledger: add a row that corrects, do not rewrite one', TG_TABLE_NAME
            USING ERRCODE = 'check_violation';
    END IF;
    PERFORM pg_advisory_xact_lock(hashtextextended(TG_TABLE_NAME || ' ' || NEW.account_id, 0));
    EXECUTE format('SELECT balance FROM %I WHERE account_id = $1 ORDER BY id DESC LIMIT 1', TG_TABLE_NAME)
        INTO before USING NEW.account_id;
    NEW.id := nextval(pg_get_serial_sequence(TG_TABLE_NAME, 'id'));  -- only now, under the lock, is the order settled
    NEW.balance := COALESCE(before, 0) + NEW.amount;
    RETURN NEW;
END $$;

CREATE TABLE reserve_pool_ledger (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    account_id text NOT NULL REFERENCES broker_accounts,
    at timestamptz NOT NULL,
    trigger text NOT NULL CHECK (trigger IN ('siphon', 'high_water_return', 'emergency_use', 'correction')),
    amount numeric NOT NULL CHECK (amount <> 0),
    balance numeric NOT NULL CHECK (balance >= 0),
    fill_id bigint REFERENCES fills,
    note text NOT NULL DEFAULT '',
    UNIQUE (fill_id),
    CHECK (trigger <> 'siphon' OR (fill_id IS NOT NULL AND amount > 0))
);
CREATE TRIGGER reserve_balances BEFORE INSERT OR UPDATE OR DELETE ON reserve_pool_ledger
    FOR EACH ROW EXECUTE FUNCTION ledger_balances();

CREATE TABLE cash_ledger (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    account_id text NOT NULL REFERENCES broker_accounts,
    at timestamptz NOT NULL,
    trigger text NOT NULL CHECK (trigger IN ('opening', 'fill', 'broker_adjustment')),
    amount numeric NOT NULL,
    balance numeric NOT NULL,
    fill_id bigint REFERENCES fills,
    note text NOT NULL DEFAULT '',
    UNIQUE (fill_id),
    CHECK ((trigger = 'fill') = (fill_id IS NOT NULL))
);
CREATE UNIQUE INDEX cash_ledger_one_opening ON cash_ledger (account_id) WHERE trigger = 'opening';
CREATE TRIGGER cash_balances BEFORE INSERT OR UPDATE OR DELETE ON cash_ledger
    FOR EACH ROW EXECUTE FUNCTION ledger_balances();

CREATE TABLE portfolio_snapshots (
    account_id text NOT NULL REFERENCES broker_accounts,
    session date NOT NULL,
    taken_at timestamptz NOT NULL,
    cash numeric NOT NULL,
    reserve numeric NOT NULL,
    positions_value numeric NOT NULL,
    equity numeric NOT NULL,
    active_pool numeric NOT NULL,
    opening_equity numeric NOT NULL,
    high_water_equity numeric NOT NULL,
    realised_pnl numeric NOT NULL,
    unrealised_pnl numeric NOT NULL,
    daily_return double precision NOT NULL,
    drawdown double precision NOT NULL CHECK (drawdown BETWEEN 0 AND 1),
    heat double precision NOT NULL,
    open_positions integer NOT NULL,
    tier text NOT NULL CHECK (tier IN ('conservative', 'moderate', 'aggressive')),
    detail jsonb NOT NULL DEFAULT '{}',
    PRIMARY KEY (account_id, session)
);

CREATE TABLE daily_risk_snapshots (
    account_id text NOT NULL REFERENCES broker_accounts,
    session date NOT NULL,
    opening_equity numeric NOT NULL,
    equity numeric NOT NULL,
    loss double precision NOT NULL,
    heat double precision NOT NULL,
    sectors jsonb NOT NULL DEFAULT '{}',
    opened_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (account_id, session)
);

CREATE TABLE risk_tier_history (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    account_id text NOT NULL REFERENCES broker_accounts,
    at timestamptz NOT NULL,
    session date NOT NULL,
    from_tier text NOT NULL CHECK (from_tier IN ('conservative', 'moderate', 'aggressive')),
    to_tier text NOT NULL CHECK (to_tier IN ('conservative', 'moderate', 'aggressive')),
    actor text NOT NULL,
    reason text NOT NULL,
    metrics jsonb NOT NULL DEFAULT '{}',
    CHECK (from_tier <> to_tier)
);
CREATE INDEX risk_tier_history_newest ON risk_tier_history (account_id, id DESC);

CREATE TABLE circuit_breaker_events (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    account_id text NOT NULL REFERENCES broker_accounts,
    at timestamptz NOT NULL,
    breaker text NOT NULL CHECK (breaker IN ('daily_loss', 'single_position', 'volatility', 'manual')),
    event text NOT NULL CHECK (event IN ('trip', 'reset')),
    ticker text NOT NULL DEFAULT '',
    value double precision,
    threshold double precision,
    resets_at timestamptz,
    actor text NOT NULL DEFAULT 'engine',
    reason text NOT NULL
);
CREATE INDEX circuit_breaker_events_newest ON circuit_breaker_events (account_id, breaker, id DESC);

CREATE TABLE risk_evaluations (
    evaluation_id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    account_id text NOT NULL REFERENCES broker_accounts,
    order_id text REFERENCES orders,
    ticker text NOT NULL,
    side text NOT NULL CHECK (side IN ('buy', 'sell')),
    eligible boolean NOT NULL,
    needs_approval boolean NOT NULL DEFAULT false,
    checks jsonb NOT NULL DEFAULT '[]' CHECK (jsonb_typeof(checks) = 'array'),
    reasons jsonb NOT NULL DEFAULT '[]' CHECK (jsonb_typeof(reasons) = 'array'),
    as_of timestamptz NOT NULL
);
CREATE INDEX risk_evaluations_of_order ON risk_evaluations (order_id);

CREATE TABLE approval_requests (
    approval_id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    order_id text NOT NULL UNIQUE REFERENCES orders,
    status text NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'approved', 'rejected', 'expired')),
    reason text NOT NULL,
    requested_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    reviewed_by text NOT NULL DEFAULT '',
    review_reason text NOT NULL DEFAULT '',
    reviewed_at timestamptz,
    CHECK ((status IN ('approved', 'rejected')) = (reviewed_at IS NOT NULL AND reviewed_by <> ''))
);

CREATE TABLE backtest_runs (
    backtest_id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    status text NOT NULL DEFAULT 'wanted' CHECK (status IN ('wanted', 'running', 'succeeded', 'failed', 'canceled')),
    first_day date NOT NULL,
    last_day date NOT NULL,
    initial_capital numeric NOT NULL CHECK (initial_capital > 0),
    tier text NOT NULL CHECK (tier IN ('conservative', 'moderate', 'aggressive')),
    config jsonb NOT NULL DEFAULT '{}',
    metrics jsonb NOT NULL DEFAULT '{}',
    equity_curve jsonb NOT NULL DEFAULT '[]',
    error text NOT NULL DEFAULT '',
    requested_by text NOT NULL DEFAULT 'operator',
    requested_at timestamptz NOT NULL,
    started_at timestamptz,
    finished_at timestamptz,
    CHECK (first_day <= last_day)
);
CREATE TABLE backtest_trades (
    backtest_id uuid NOT NULL REFERENCES backtest_runs ON DELETE CASCADE,
    number integer NOT NULL CHECK (number >= 1),
    recommendation_id text NOT NULL DEFAULT '',
    ticker text NOT NULL,
    quantity numeric NOT NULL CHECK (quantity > 0),
    entry_price numeric NOT NULL CHECK (entry_price > 0),
    entry_at timestamptz NOT NULL,
    exit_price numeric CHECK (exit_price > 0),
    exit_at timestamptz,
    exit_reason text NOT NULL DEFAULT '',
    pnl numeric NOT NULL DEFAULT 0,
    PRIMARY KEY (backtest_id, number)
);

CREATE TABLE notifications (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL,
    channel text NOT NULL DEFAULT 'screen' CHECK (channel <> ''),
    severity text NOT NULL CHECK (severity IN ('info', 'warning', 'critical')),
    subject text NOT NULL,
    body text NOT NULL DEFAULT '',
    dedupe_key text NOT NULL DEFAULT '',
    status text NOT NULL DEFAULT 'shown' CHECK (status IN ('shown', 'queued', 'sent', 'failed', 'suppressed')),
    error text NOT NULL DEFAULT '',
    sent_at timestamptz
);
CREATE INDEX notifications_newest ON notifications (at DESC);
CREATE UNIQUE INDEX notifications_once ON notifications (channel, dedupe_key) WHERE dedupe_key <> '';

CREATE TABLE engine_lease (
    name text PRIMARY KEY,
    owner text NOT NULL,
    fencing_token bigint NOT NULL CHECK (fencing_token >= 1),
    acquired_at timestamptz NOT NULL,
    heartbeat_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL
);

CREATE TABLE engine_heartbeats (
    task text PRIMARY KEY,
    owner text NOT NULL,
    beat_at timestamptz NOT NULL,
    ok_at timestamptz,
    cycles bigint NOT NULL DEFAULT 0,
    failures bigint NOT NULL DEFAULT 0,
    last_error text NOT NULL DEFAULT '',
    note text NOT NULL DEFAULT ''
);

CREATE TABLE engine_control (
    key text PRIMARY KEY CHECK (key IN
        ('paused', 'kill_switch', 'cancel_all', 'flatten', 'entries_closed', 'auto_tier',
        'rebalanced_at')),
    value jsonb NOT NULL,
    reason text NOT NULL DEFAULT '',
    updated_by text NOT NULL DEFAULT 'system',
    updated_at timestamptz NOT NULL DEFAULT now(),
    done_at timestamptz
);
INSERT INTO engine_control (key, value) VALUES ('paused', 'false'), ('kill_switch', 'false'), ('auto_tier', 'true');
"""


def upgrade() -> None:
    """Create the trading tables, and the triggers that keep their promises."""
    op.execute(STATEMENTS)
