"""The portfolio as our own books have it: ledger cash, booked positions, stops, and what is on its way."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal

from stonks_core.stores.postgres import Connection
from stonks_trading.broker.fills import cash_balance
from stonks_trading.records import Portfolio, Position

ZERO = Decimal(0)
_UNFINISHED = ("intended", "submitting", "unknown", "accepted", "partially_filled")


@dataclass(frozen=True)
class Pending:
    """Orders that are not done: dollars of buys and shares of sells by ticker, protective stops excepted."""

    buys: Mapping[str, Decimal]
    sells: Mapping[str, Decimal]


def load(
    connection: Connection,
    account_id: str,
    session: date,
    as_of: datetime,
    prices: Mapping[str, Decimal],
    sectors: Mapping[str, str],
) -> Portfolio:
    """The portfolio at `as_of`. `prices` value what is held; without one the last price stored, else the cost, does.

    The first look of a session settles its opening equity.
    """
    held = standing(connection, account_id, as_of, prices, sectors)
    return replace(held, opening_equity=_opening(connection, account_id, session, held.equity, as_of))


def standing(
    connection: Connection,
    account_id: str,
    as_of: datetime,
    prices: Mapping[str, Decimal],
    sectors: Mapping[str, str],
) -> Portfolio:
    """The same, only read: no session is settled, and what it opened with is taken to be what it stands at."""
    held = _positions(connection, account_id, prices, sectors)
    waiting = pending(connection, account_id)
    cash = cash_balance(connection, account_id) or ZERO
    equity = cash + sum((position.value for position in held.values()), ZERO)
    return Portfolio(
        as_of=as_of,
        cash=cash,
        reserve=reserve_balance(connection, account_id),
        positions=held,
        opening_equity=equity,
        high_water_equity=max(_high_water(connection, account_id), equity),
        committed=sum(waiting.buys.values(), ZERO),
        pending_buys=waiting.buys,
        pending_sells=waiting.sells,
    )


def reserve_balance(connection: Connection, account_id: str) -> Decimal:
    """Dollars in the reserve: the ledger's running balance."""
    row = connection.execute(
        "SELECT balance FROM reserve_pool_ledger WHERE account_id = %s ORDER BY id DESC LIMIT 1", (account_id,)
    ).fetchone()
    return row["balance"] if row else ZERO


def pending(connection: Connection, account_id: str) -> Pending:
    """What unfinished orders still mean to buy, dollars, and to sell, shares."""
    rows = connection.execute(
        """
        SELECT ticker, side, notional, quantity, filled_quantity, filled_average_price, reference_price, purpose
        FROM orders WHERE account_id = %s AND state = ANY(%s) AND purpose <> 'protective_stop'
        """,
        (account_id, list(_UNFINISHED)),
    ).fetchall()
    buys: dict[str, Decimal] = {}
    sells: dict[str, Decimal] = {}
    for row in rows:
        filled, price = row["filled_quantity"], row["reference_price"] or row["filled_average_price"] or ZERO
        if row["side"] == "buy":
            whole = row["notional"] if row["notional"] is not None else row["quantity"] * price
            left = whole - filled * (row["filled_average_price"] or ZERO)
            buys[row["ticker"]] = buys.get(row["ticker"], ZERO) + max(ZERO, left)
        elif row["quantity"] is not None:
            sells[row["ticker"]] = sells.get(row["ticker"], ZERO) + max(ZERO, row["quantity"] - filled)
    return Pending(buys, sells)


def held_tickers(connection: Connection, account_id: str) -> tuple[str, ...]:
    """Tickers of which shares are held, by name."""
    rows = connection.execute(
        "SELECT ticker FROM positions WHERE account_id = %s AND quantity > 0 ORDER BY ticker", (account_id,)
    ).fetchall()
    return tuple(row["ticker"] for row in rows)


def _positions(
    connection: Connection, account_id: str, prices: Mapping[str, Decimal], sectors: Mapping[str, str]
) -> Mapping[str, Position]:
    rows = connection.execute(
        """
        SELECT p.ticker, p.quantity, p.cost, p.price, p.sector, p.opened_at, p.micro, s.stop, s.take_profit
        FROM positions p LEFT JOIN position_stop_levels s
            ON (s.account_id, s.ticker, s.opened_at) = (p.account_id, p.ticker, p.opened_at)
        WHERE p.account_id = %s AND p.quantity > 0 ORDER BY p.ticker
        """,
        (account_id,),
    ).fetchall()
    return {
        row["ticker"]: Position(
            ticker=row["ticker"],
            quantity=row["quantity"],
            cost=row["cost"],
            price=prices.get(row["ticker"]) or row["price"] or row["cost"],
            stop=row["stop"],
            take_profit=row["take_profit"],
            sector=sectors.get(row["ticker"]) or row["sector"],
            opened_at=row["opened_at"],
            micro=row["micro"],
        )
        for row in rows
    }


def _opening(connection: Connection, account_id: str, session: date, equity: Decimal, as_of: datetime) -> Decimal:
    connection.execute(
        """
        INSERT INTO daily_risk_snapshots (account_id, session, opening_equity, equity, loss, heat, opened_at, updated_at)
        VALUES (%s, %s, %s, %s, 0, 0, %s, %s) ON CONFLICT DO NOTHING
        """,
        (account_id, session, equity, equity, as_of, as_of),
    )
    row = connection.execute(
        "SELECT opening_equity FROM daily_risk_snapshots WHERE account_id = %s AND session = %s", (account_id, session)
    ).fetchone()
    return row["opening_equity"] if row else equity


def _high_water(connection: Connection, account_id: str) -> Decimal:
    row = connection.execute(
        """
        SELECT max(s.high_water_equity) AS most FROM portfolio_snapshots s JOIN broker_accounts a USING (account_id)
        WHERE s.account_id = %s AND s.taken_at > COALESCE(a.reset_at, '-infinity')
        """,
        (account_id,),
    ).fetchone()
    return row["most"] if row and row["most"] is not None else ZERO
