"""Builders of the records that the rules of trading take, with plain defaults."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from hypothesis import strategies as st

from stonks_core.vocabulary import Action, Mode, RiskTier, Window
from stonks_trading.decide.rules import TradingRules
from stonks_trading.records import (
    Breaker,
    EngineState,
    MarketView,
    Portfolio,
    Position,
    Quote,
    Recommendation,
)

NOON = datetime(2026, 3, 4, 17, 0, tzinfo=UTC)
RULES = TradingRules(absolute_position_cap=Decimal(1_000_000), gradual_entry_threshold=Decimal(1_000_000))
TICKERS = ("ACME", "BOLT", "CRUX", "DUNE", "ECHO")
SECTORS = {"ACME": "Energy", "BOLT": "Energy", "CRUX": "Utilities", "DUNE": "Materials", "ECHO": ""}


def dec(value: object) -> Decimal:
    return Decimal(str(value))


def recommendation(
    name: str = "r1",
    ticker: str = "ACME",
    action: Action = Action.BUY,
    *,
    window: Window = Window.WEEK,
    mode: Mode = Mode.PAPER_ELIGIBLE,
    strength: float = 0.8,
    confidence: float = 0.8,
    age: timedelta = timedelta(minutes=5),
    lasts: timedelta = timedelta(days=3),
) -> Recommendation:
    return Recommendation(name, ticker, window, action, mode, strength, confidence, NOON - age, NOON - age + lasts)


def quote(ticker: str = "ACME", bid: object = "99.90", ask: object = "100", age: float = 1.0) -> Quote:
    return Quote(
        ticker,
        None if bid is None else dec(bid),
        None if ask is None else dec(ask),
        None,
        NOON - timedelta(seconds=age),
        "iex",
    )


def view(
    ticker: str = "ACME",
    *,
    ask: object = "100",
    atr: object = "2",
    sector: str | None = None,
    correlation: float = 0.0,
) -> MarketView:
    price = dec(ask)
    return MarketView(
        ticker,
        quote(ticker, price * dec("0.999"), price),
        None if atr is None else dec(atr),
        SECTORS.get(ticker, "") if sector is None else sector,
        correlation,
    )


def market(**changes: MarketView) -> dict[str, MarketView]:
    return {t: view(t) for t in TICKERS} | changes


def position(
    ticker: str = "ACME",
    quantity: object = "1",
    price: object = "100",
    *,
    cost: object = None,
    stop: object = None,
    take_profit: object = None,
    micro: bool = False,
    opened_at: datetime | None = None,
) -> Position:
    return Position(
        ticker,
        dec(quantity),
        dec(price if cost is None else cost),
        dec(price),
        None if stop is None else dec(stop),
        None if take_profit is None else dec(take_profit),
        SECTORS.get(ticker, ""),
        opened_at,
        micro,
    )


def portfolio(
    cash: object = "10000",
    *positions: Position,
    reserve: object = "0",
    opening: object = None,
    pending_buys: dict[str, Decimal] | None = None,
    pending_sells: dict[str, Decimal] | None = None,
) -> Portfolio:
    held = {p.ticker: p for p in positions}
    equity = dec(cash) + sum((p.value for p in positions), Decimal(0))
    buys = pending_buys or {}
    return Portfolio(
        NOON,
        dec(cash),
        dec(reserve),
        held,
        equity if opening is None else dec(opening),
        equity,
        sum(buys.values(), Decimal(0)),
        buys,
        pending_sells or {},
    )


def state(
    *tripped: Breaker,
    tier: RiskTier = RiskTier.MODERATE,
    enabled: bool = True,
    paused: bool = False,
    closed: str = "",
    locked: dict[str, str] | None = None,
    micro_trades_today: int = 0,
) -> EngineState:
    return EngineState(enabled, paused, tier, frozenset(tripped), closed, locked or {}, micro_trades_today)


def cents(least: str, most: str) -> st.SearchStrategy[Decimal]:
    return st.decimals(Decimal(least), Decimal(most), places=2)


@st.composite
def portfolios(draw: st.DrawFn) -> Portfolio:
    """Accounts of all sizes, some with a reserve, open positions with and without stops, and orders on their way."""
    held = draw(st.lists(st.sampled_from(TICKERS), unique=True, max_size=4))
    positions = []
    for ticker in held:
        price = draw(cents("2", "300"))
        fraction = draw(st.sampled_from([None, "0.8", "0.95", "1.05"]))
        positions.append(
            position(
                ticker,
                draw(st.decimals(Decimal("0.001"), Decimal(20), places=3)),
                price,
                stop=None if fraction is None else price * dec(fraction),
                micro=draw(st.booleans()),
            )
        )
    buying = draw(st.dictionaries(st.sampled_from(TICKERS), cents("1", "400").map(Decimal), max_size=2))
    selling = {p.ticker: p.quantity / 2 for p in positions if draw(st.booleans())}
    cash = draw(cents("0", "20000"))
    return portfolio(
        cash,
        *positions,
        reserve=draw(cents("0", str(cash))) if cash > 0 else "0",
        pending_buys=buying,
        pending_sells=selling,
    )


@st.composite
def markets(draw: st.DrawFn) -> dict[str, MarketView]:
    """A view of every ticker; now and then one without a range or with a wild one."""
    return {
        t: view(
            t,
            ask=(ask := draw(cents("2", "300"))),
            atr=draw(st.sampled_from([None, ask / 100, ask / 20, ask / 2])),
            correlation=draw(st.floats(-1, 1)),
        )
        for t in TICKERS
    }


@st.composite
def recommendations(draw: st.DrawFn, most: int = 8) -> list[Recommendation]:
    """Views of all kinds, most of them able to trade, several of one ticker and window among them."""
    count = draw(st.integers(1, most))
    return [
        recommendation(
            f"r{n}",
            draw(st.sampled_from(TICKERS)),
            draw(st.sampled_from([Action.BUY, Action.BUY, Action.BUY, Action.SELL, Action.HOLD])),
            window=draw(st.sampled_from(list(Window))),
            mode=draw(st.sampled_from([Mode.PAPER_ELIGIBLE, Mode.LIVE_ELIGIBLE, Mode.INFORMATIONAL])),
            strength=draw(st.floats(0, 1)),
            confidence=draw(st.floats(0.3, 1)),
            age=timedelta(minutes=draw(st.integers(-5, 90))),
            lasts=timedelta(minutes=draw(st.integers(60, 600))),
        )
        for n in range(count)
    ]


@st.composite
def rule_sets(draw: st.DrawFn) -> TradingRules:
    """Rules with caps that bind and caps that do not."""
    return TradingRules(
        absolute_position_cap=draw(st.sampled_from([Decimal(50), Decimal(400), Decimal(1_000_000)])),
        active_pool_minimum=draw(st.sampled_from([Decimal(0), Decimal(100), Decimal(3000)])),
        max_open_positions=draw(st.integers(1, 6)),
        gradual_entry_tranches=draw(st.integers(1, 5)),
        gradual_entry_threshold=draw(st.sampled_from([Decimal(0), Decimal(30), Decimal(1_000_000)])),
    )
