"""Many rounds on end: decide, fill in parts, book, trail, split, siphon; what must hold after each of them, whatever comes."""

from dataclasses import dataclass, field, replace
from datetime import timedelta
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from stonks_core.money import dollars_down, order_price, shares_down
from stonks_core.vocabulary import Action, RiskTier
from stonks_trading.decide import ledger, reserve, stops
from stonks_trading.decide.decide import decide
from stonks_trading.decide.ledger import Fill, Holding, Split
from stonks_trading.decide.rules import ReserveRules
from stonks_trading.decide.tiers import TIERS
from stonks_trading.records import OrderPlan, Portfolio, Position
from tests.trading.decide.desk import NOON, RULES, SECTORS, TICKERS, dec, recommendation, state, view

ZERO = Decimal(0)
OPENING = Decimal(5000)
LIMITS = TIERS[RiskTier.MODERATE]
RESERVE = ReserveRules()
FOREVER = timedelta(days=30)


@dataclass(frozen=True)
class Round:
    """What a round brings: how prices move, who is recommended, what splits, and how much of each order fills."""

    moves: dict[str, Decimal]
    views: dict[str, Action]
    split: tuple[str, Decimal] | None
    filled: Decimal
    slip: Decimal


rounds = st.builds(
    Round,
    st.fixed_dictionaries({ticker: st.decimals("0.6", "1.7", places=3) for ticker in TICKERS}),
    st.dictionaries(st.sampled_from(TICKERS), st.sampled_from([Action.BUY, Action.BUY, Action.SELL]), max_size=5),
    st.none() | st.tuples(st.sampled_from(TICKERS), st.sampled_from([dec("2"), dec("10"), dec("0.1"), dec("1.5")])),
    st.sampled_from([dec("0"), dec("0.37"), dec("1")]),
    st.decimals("0.95", "1.05", places=3),
)


@dataclass
class Desk:
    """An account run by the real rules; orders that are not filled in full go on to the next round or are cancelled."""

    prices: dict[str, Decimal] = field(default_factory=lambda: dict.fromkeys(TICKERS, Decimal(50)))
    fills: list[Fill] = field(default_factory=list)
    splits: list[Split] = field(default_factory=list)
    rows: list[reserve.ReserveRow] = field(default_factory=list)
    stops: dict[str, Decimal] = field(default_factory=dict)
    buying: dict[str, Decimal] = field(default_factory=dict)
    peak: Decimal = OPENING
    siphoned: int = 0
    minute: int = 0

    @property
    def book(self) -> ledger.Book:
        return ledger.book(self.fills, self.splits)

    @property
    def portfolio(self) -> Portfolio:
        book = self.book
        held = {t: self.position(t, h) for t, h in book.holdings.items() if h.quantity > 0}
        buys = dict(self.buying)
        committed = sum(buys.values(), ZERO)
        cash = OPENING + book.cash
        return Portfolio(NOON, cash, reserve.balance(self.rows), held, OPENING, self.peak, committed, buys)

    def position(self, ticker: str, held: Holding) -> Position:
        price = self.prices[ticker]
        return Position(
            ticker,
            held.quantity,
            held.average_cost,
            price,
            self.stops.get(ticker),
            None,
            SECTORS[ticker],
            held.opened_at,
        )

    def fill(self, ticker: str, side: str, quantity: Decimal, price: Decimal) -> None:
        if quantity > 0:
            at = NOON + timedelta(minutes=self.minute)
            self.fills.append(Fill(f"o{len(self.fills)}", "x", ticker, side, quantity, price, at))  # type: ignore[arg-type]

    def play(self, now: Round) -> None:
        self.minute += 1
        for ticker, move in now.moves.items():
            self.prices[ticker] = max(Decimal("0.05"), order_price(self.prices[ticker] * move))
        if now.split:
            self.split(*now.split)
        orders = self.exits()
        self.minute += 1
        orders += self.decided(now, {o.ticker for o in orders})
        self.execute(orders, now)
        self.keep_reserve()

    def split(self, ticker: str, ratio: Decimal) -> None:
        held = self.book.holdings.get(ticker)
        self.splits.append(Split(ticker, ratio, NOON + timedelta(minutes=self.minute)))
        if held is not None:
            before = self.position(ticker, held)
            after = stops.after_split(before, ratio)
            assert after.quantity * after.price == before.value or ratio == dec("1.5")
            if before.stop is not None and after.stop is not None:
                assert abs(after.stop * ratio - before.stop) <= ratio * Decimal("0.005"), "a split moves no level"
                self.stops[ticker] = after.stop
        self.prices[ticker] = max(Decimal("0.05"), self.prices[ticker] / ratio)

    def exits(self) -> list[OrderPlan]:
        """Trail every level, and leave what is through its own."""
        leaving = []
        for ticker, held in self.portfolio.positions.items():
            before, price = held.stop, held.price
            due = stops.exit_order(held, price)
            if due is not None:
                leaving.append(due)
                continue
            stop = stops.trailed(before, price, price / 20, LIMITS)
            assert before is None or (stop is not None and stop >= before), "a stop fell"
            if stop is not None:
                self.stops[ticker] = stop
        return leaving

    def decided(self, now: Round, leaving: set[str]) -> list[OrderPlan]:
        market = {t: view(t, ask=self.prices[t], atr=self.prices[t] / 20) for t in TICKERS}
        asked = [
            recommendation(f"r{self.minute}-{t}", t, action, lasts=FOREVER)
            for t, action in now.views.items()
            if t not in leaving
        ]
        made = decide(asked, self.portfolio, market, state(), RULES, NOON, market_open=True, decided={})
        return [d.order for d in made if d.order is not None]

    def execute(self, orders: list[OrderPlan], now: Round) -> None:
        for ticker, notional in sorted(self.buying.items()):
            self.buy(ticker, notional, self.prices[ticker])  # yesterday's rest
        for order in orders:
            price = max(Decimal("0.01"), order_price(self.prices[order.ticker] * now.slip))
            if order.side == "sell":
                assert order.quantity is not None
                self.fill(order.ticker, "sell", shares_down(order.quantity * now.filled), price)
                continue
            assert order.notional is not None
            part = dollars_down(order.notional * now.filled)
            self.buying[order.ticker] = self.buying.get(order.ticker, ZERO) + order.notional
            self.buy(order.ticker, part, price)

    def buy(self, ticker: str, notional: Decimal, price: Decimal) -> None:
        self.fill(ticker, "buy", shares_down(notional / price), price)
        self.buying[ticker] -= notional
        if self.buying[ticker] <= 0:
            del self.buying[ticker]

    def keep_reserve(self) -> None:
        new, self.siphoned = self.book.realised[self.siphoned :], len(self.book.realised)
        moves = [lambda held, r=r: reserve.siphon(held, r.profit, RESERVE, NOON) for r in new]
        equity = self.portfolio.equity
        moves.append(lambda held: reserve.high_water_return(held, equity, RESERVE, NOON))
        moves.append(lambda held: reserve.emergency_use(held, equity, self.peak, RESERVE, NOON))
        for move in moves:
            row = move(reserve.balance(self.rows))
            if row is not None:
                self.rows.append(row)
        self.peak = max(self.peak, equity)
        for ticker in set(self.stops) - set(self.book.holdings):
            del self.stops[ticker]


@given(st.lists(rounds, min_size=1, max_size=8))
@settings(max_examples=120)
def test_cash_reserve_shares_and_stops_hold_through_every_round(played: list[Round]) -> None:
    desk = Desk()
    for now in played:
        desk.play(now)
        account, book = desk.portfolio, desk.book
        assert book.oversold == (), "a short was sold"
        assert all(held.quantity >= 0 for held in book.holdings.values())
        assert account.cash >= account.reserve + account.committed >= 0
        assert reserve.faults(desk.rows) == ()
        assert not desk.rows or desk.rows[-1].balance == reserve.balance(desk.rows) == account.reserve
        assert account.reserve <= max(ZERO, RESERVE.high_water * account.equity)


def test_a_walk_buys_is_stopped_out_siphons_and_splits() -> None:
    """The walk above is no walk of doing nothing."""
    desk = Desk()
    still = Round(dict.fromkeys(TICKERS, dec(1)), {"ACME": Action.BUY}, None, dec(1), dec(1))
    desk.play(still)
    assert desk.portfolio.positions["ACME"].quantity > 0
    desk.play(replace(still, views={}, moves=still.moves | {"ACME": dec("1.5")}))
    risen = desk.stops["ACME"]
    desk.play(replace(still, views={}, split=("ACME", dec(10))))
    assert desk.stops["ACME"] == risen / 10
    desk.play(replace(still, views={}, moves=still.moves | {"ACME": dec("0.85")}))
    assert "ACME" not in desk.portfolio.positions
    assert [row.trigger for row in desk.rows] == ["siphon"]
    assert desk.portfolio.cash > OPENING
