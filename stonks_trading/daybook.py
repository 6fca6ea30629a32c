"""What is written once a session is over: the snapshot, the reserve's movements, the review of the tier."""

from datetime import date, datetime
from decimal import Decimal

from psycopg.types.json import Jsonb

from stonks_core.calendar import Session
from stonks_core.notifications.notices import leave
from stonks_core.stores.postgres import Connection
from stonks_core.vocabulary import RiskTier
from stonks_trading.broker.fills import folded
from stonks_trading.decide import breakers, exposure, reserve
from stonks_trading.decide.rules import ReserveRules, TradingRules, share
from stonks_trading.decide.tiers import TierReview, drawdown, review_tier
from stonks_trading.portfolio import reserve_balance
from stonks_trading.records import EngineState, Portfolio


def is_closed(connection: Connection, account_id: str, session: date) -> bool:
    """Whether a session's snapshot stands."""
    row = connection.execute(
        "SELECT 1 FROM portfolio_snapshots WHERE account_id = %s AND session = %s", (account_id, session)
    ).fetchone()
    return row is not None


def siphon(connection: Connection, account_id: str, rules: ReserveRules, as_of: datetime) -> Decimal:
    """Move each realised profit's share to the reserve, each fill once; dollars that moved."""
    connection.execute(
        "SELECT pg_advisory_xact_lock(hashtextextended('siphon ' || %s, 0))", (account_id,)
    )  # two rounds at once would read the same balance
    rows = connection.execute(
        """
        SELECT f.fill_id, f.realised_pnl, f.ticker, f.executed_at FROM fills f
        LEFT JOIN reserve_pool_ledger r USING (fill_id)
        WHERE f.account_id = %s AND f.realised_pnl > 0 AND r.fill_id IS NULL ORDER BY f.executed_at, f.fill_id
        """,
        (account_id,),
    ).fetchall()
    moved = Decimal(0)
    for row in rows:
        held = reserve_balance(connection, account_id)
        movement = reserve.siphon(held, row["realised_pnl"], rules, as_of)
        if movement is not None:
            _move(connection, account_id, movement, f"{movement.note} ({row['ticker']})", row["fill_id"])
            moved += movement.amount
    return moved


def settle_reserve(
    connection: Connection, account_id: str, portfolio: Portfolio, rules: ReserveRules, as_of: datetime
) -> None:
    """Return what the reserve holds above its high-water share, then use the rest in a severe drawdown, and tell of that.

    Each movement starts from what the ledger holds after the one before it.
    """
    back = reserve.high_water_return(reserve_balance(connection, account_id), portfolio.equity, rules, as_of)
    if back is not None:
        _move(connection, account_id, back, back.note, None)
    held = reserve_balance(connection, account_id)
    used = reserve.emergency_use(held, portfolio.equity, portfolio.high_water_equity, rules, as_of)
    if used is not None:
        _move(connection, account_id, used, used.note, None)
        body = f"${-used.amount:.2f} of the reserve went to the active pool: {used.note}; ${used.balance:.2f} is left."
        leave(connection, as_of, "critical", "the reserve is used in an emergency", body)


def snapshot(
    connection: Connection,
    account_id: str,
    session: Session,
    portfolio: Portfolio,
    state: EngineState,
    rules: TradingRules,
    as_of: datetime,
) -> None:
    """Store how the account stood when a session was over; a snapshot that stands is not rewritten."""
    value = sum((p.value for p in portfolio.positions.values()), Decimal(0))
    unrealised = sum(((p.price - p.cost) * p.quantity for p in portfolio.positions.values()), Decimal(0))
    heat = float(exposure.heat(portfolio, {}, rules.tiers[state.tier]))
    loss = float(breakers.daily_loss(portfolio))
    opening = portfolio.opening_equity
    sectors: dict[str, Decimal] = {}
    for position in portfolio.positions.values():
        sectors[position.sector] = sectors.get(position.sector, Decimal(0)) + position.value
    parameters = {
        "account_id": account_id,
        "session": session.day,
        "as_of": as_of,
        "cash": portfolio.cash,
        "reserve": portfolio.reserve,
        "value": value,
        "equity": portfolio.equity,
        "active": portfolio.active_pool,
        "opening": opening,
        "high": portfolio.high_water_equity,
        **_realised_in(connection, account_id, session),
        "worse_unrealised": unrealised - _kept_for_costs(connection, account_id),
        "unrealised": unrealised,
        "daily": float(portfolio.equity / opening - 1) if opening > 0 else 0.0,
        "drawdown": min(1.0, float(drawdown(portfolio.equity, portfolio.high_water_equity))),
        "heat": heat,
        "open": len(portfolio.positions),
        "tier": str(state.tier),
        "loss": loss,
        "sectors": Jsonb({name: str(amount) for name, amount in sorted(sectors.items())}),
    }
    connection.execute(
        """
        INSERT INTO portfolio_snapshots (account_id, session, taken_at, cash, reserve, positions_value, equity, active_pool,
            opening_equity, high_water_equity, realised_pnl, unrealised_pnl,
            conservative_realised_pnl, conservative_unrealised_pnl, daily_return, drawdown, heat, open_positions, tier)
        VALUES (%(account_id)s, %(session)s, %(as_of)s, %(cash)s, %(reserve)s, %(value)s, %(equity)s, %(active)s,
            %(opening)s, %(high)s, %(realised)s, %(unrealised)s, %(worse)s, %(worse_unrealised)s,
            %(daily)s, %(drawdown)s, %(heat)s, %(open)s, %(tier)s)
        ON CONFLICT DO NOTHING
        """,
        parameters,
    )
    connection.execute(
        """
        UPDATE daily_risk_snapshots SET equity = %(equity)s, loss = %(loss)s, heat = %(heat)s, sectors = %(sectors)s,
            updated_at = %(as_of)s WHERE account_id = %(account_id)s AND session = %(session)s
        """,
        parameters,
    )


def review(
    connection: Connection,
    account_id: str,
    session: Session,
    sessions_since: int | None,
    tier: RiskTier,
    rules: TradingRules,
    as_of: datetime,
) -> TierReview | None:
    """Review the tier on a session's snapshot, once; what was found stands in the snapshot. A change is stored and told.

    None where there is no snapshot, or where it was reviewed.
    """
    row = connection.execute(
        """
        SELECT equity, high_water_equity, heat FROM portfolio_snapshots
        WHERE account_id = %s AND session = %s AND NOT detail ? 'tier_review' FOR UPDATE
        """,
        (account_id, session.day),
    ).fetchone()
    if row is None:
        return None
    since = _reset_at(connection, account_id)
    closed = [
        trade for trade in folded(connection, account_id).brokers.closed if since is None or trade.closed_at > since
    ]
    found = review_tier(
        tier,
        equity=row["equity"],
        high_water_equity=row["high_water_equity"],
        closed_trades=[trade.profit for trade in sorted(closed, key=lambda t: (t.closed_at, t.ticker))],
        heat=share(row["heat"]),
        sessions_since_change=sessions_since,
        tiers=rules.tiers,
    )
    metrics = {"drawdown": str(found.drawdown), "win_rate": str(found.win_rate), "heat": str(found.heat)}
    connection.execute(
        "UPDATE portfolio_snapshots SET detail = detail || %s WHERE account_id = %s AND session = %s",
        (Jsonb({"tier_review": {"sentence": found.sentence, **metrics}}), account_id, session.day),
    )
    if found.changed:
        connection.execute(
            """
            INSERT INTO risk_tier_history (account_id, at, session, from_tier, to_tier, actor, reason, metrics)
            VALUES (%s, %s, %s, %s, %s, 'engine', %s, %s)
            """,
            (account_id, as_of, session.day, str(found.before), str(found.after), found.sentence, Jsonb(metrics)),
        )
        leave(connection, as_of, "warning", f"risk tier {found.after}", found.sentence)
    return found


def _reset_at(connection: Connection, account_id: str) -> datetime | None:
    row = connection.execute("SELECT reset_at FROM broker_accounts WHERE account_id = %s", (account_id,)).fetchone()
    return row["reset_at"] if row else None


def last_tier_change(connection: Connection, account_id: str) -> date | None:
    """The session of the newest tier change, or None."""
    row = connection.execute(
        "SELECT session FROM risk_tier_history WHERE account_id = %s ORDER BY id DESC LIMIT 1", (account_id,)
    ).fetchone()
    return row["session"] if row else None


def _realised_in(connection: Connection, account_id: str, session: Session) -> dict[str, Decimal]:
    row = connection.execute(
        """
        SELECT COALESCE(sum(realised_pnl), 0) AS realised, COALESCE(sum(conservative_pnl), 0) AS worse FROM fills
        WHERE account_id = %s AND executed_at >= %s AND executed_at <= %s
        """,
        (account_id, session.open, session.close),
    ).fetchone()
    return {"realised": row["realised"], "worse": row["worse"]} if row else {}


def _kept_for_costs(connection: Connection, account_id: str) -> Decimal:
    """Dollars by which what is held cost more as `decide.conservative` reckons it."""
    row = connection.execute(
        "SELECT COALESCE(sum(quantity * (conservative_cost - cost)), 0) AS total FROM positions WHERE account_id = %s",
        (account_id,),
    ).fetchone()
    return row["total"] if row else Decimal(0)


def _move(
    connection: Connection, account_id: str, movement: reserve.ReserveRow, note: str, fill_id: int | None
) -> None:
    connection.execute(
        """
        INSERT INTO reserve_pool_ledger (account_id, at, trigger, amount, balance, fill_id, note)
        VALUES (%s, %s, %s, %s, 0, %s, %s)
        """,
        (account_id, movement.at, movement.trigger, movement.amount, fill_id, note),
    )
