"""The account's worth over time, the calendar and market data around a market that closes."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from stonks_sandbox.alpaca.account import Account
from stonks_sandbox.alpaca.market_data import MarketData, Timeframe, parse_timeframe
from stonks_sandbox.alpaca.model import Order, Refusal
from stonks_sandbox.alpaca.portfolio import portfolio_history
from stonks_sandbox.alpaca.sessions import sessions_of
from stonks_sandbox.alpaca.store import Store
from stonks_sandbox.alpaca.trading_routes import calendar_json
from stonks_sandbox.alpaca.venue import Venue
from tests.sandbox.test_alpaca_scripted_world import NOON, Hands, ScriptedWorld, bar, flat, order

OPENS = [datetime(2026, 3, day, 14, 30, tzinfo=UTC) for day in (3, 4, 5, 6)]
CLOSES = (100.0, 104.0, 98.0, 110.0)


@pytest.fixture
def world() -> ScriptedWorld:
    bars = [bar(at, (100, 120, 90, close), 1e6, 86_400) for at, close in zip(OPENS, CLOSES, strict=True)]
    return ScriptedWorld({"AAA": bars}, Hands(OPENS[0]), calendar_name="XNYS", bar_seconds=86_400)


@pytest.fixture
def venue(world: ScriptedWorld, tmp_path: Path) -> Venue:
    return Venue(world, Store(tmp_path / "alpaca.sqlite"), Decimal(10_000), lambda change: None)


def test_equity_follows_the_closes(world: ScriptedWorld, venue: Venue) -> None:
    world.clock.at = OPENS[0] + timedelta(hours=7)
    assert isinstance(venue.submit(order(qty="10")), Order)
    world.clock.at = OPENS[3] + timedelta(hours=7)
    venue.settle()
    paid = Decimal("1000.5")  # ten shares at 100 and 5 basis points
    history = portfolio_history(venue, "1M", "1D", None, None)
    assert not isinstance(history, Refusal)
    assert history["equity"] == [float(10_000 - paid + x) for x in (paid, 1040, 980, 1100)]
    assert history["base_value"] == 10_000
    assert history["profit_loss"][-1] == pytest.approx(99.5)
    account = Account(venue)
    assert account.last_equity() == account.equity() == 10_000 - paid + 1100
    position = account.position_json("AAA")
    assert position is not None
    assert (position["lastday_price"], position["current_price"], position["unrealized_pl"]) == ("110", "110", "99.5")


def test_a_young_account_has_its_opening_balance_as_last_equity(venue: Venue) -> None:
    assert Account(venue).last_equity() == 10_000


def test_history_refuses_what_it_cannot_tell(venue: Venue, world: ScriptedWorld) -> None:
    world.clock.at += timedelta(days=360)
    for period, timeframe in (("soon", None), ("1D", "2D"), ("1A", "1Min")):
        assert isinstance(portfolio_history(venue, period, timeframe, None, None), Refusal)


def test_the_calendar_speaks_new_york_time(venue: Venue, tmp_path: Path) -> None:
    rows = calendar_json(venue, date(2026, 11, 25), date(2026, 11, 28))
    assert [(row["date"], row["open"], row["close"]) for row in rows] == [
        ("2026-11-25", "09:30", "16:00"),
        ("2026-11-27", "09:30", "13:00"),  # the day after Thanksgiving is a half day
    ]
    always = Venue(ScriptedWorld({}), Store(tmp_path / "b.sqlite"), Decimal(1), lambda change: None)
    assert [row["close"] for row in calendar_json(always, NOON.date(), NOON.date())] == ["23:59"]


def test_while_the_market_is_closed_quotes_carry_the_time_of_its_close(world: ScriptedWorld, venue: Venue) -> None:
    market = MarketData(world, venue.sessions)
    world.clock.at = OPENS[1] + timedelta(hours=10)
    quote = market.quote("AAA")
    assert quote is not None
    assert (quote["t"], quote["bp"], quote["ap"]) == ("2026-03-04T21:00:00Z", 103.99, 104.01)
    shot = market.snapshot("AAA")
    assert shot is not None
    assert shot["minuteBar"] is None
    assert (shot["dailyBar"]["c"], shot["prevDailyBar"]["c"]) == (104.0, 100.0)
    assert shot["dailyBar"]["t"] == "2026-03-04T05:00:00Z"  # midnight in New York
    assert market.snapshot("ZZZ") is None


def test_a_daily_bar_belongs_to_its_session_wherever_its_stamp_lies() -> None:
    sessions = sessions_of("XNYS")
    stamped_at_midnight = bar(datetime(2026, 3, 4, 5, tzinfo=UTC), (1, 1, 1, 1), 1, 86_400)
    for item in (stamped_at_midnight, bar(OPENS[1], (1, 1, 1, 1), 1, 86_400)):
        assert sessions.bar_begins(item) == OPENS[1]
        assert sessions.bar_ends(item) == datetime(2026, 3, 4, 21, tzinfo=UTC)


@pytest.mark.parametrize(
    ("accepted", "seconds", "expires"),
    [
        ("2026-03-04T14:00", 5, "2026-03-04T21:00"),
        ("2026-03-04T20:59", 5, "2026-03-04T21:00"),
        ("2026-03-04T20:59:57", 5, "2026-03-05T21:00"),  # the next bar would begin at the close
        ("2026-03-06T22:00", 5, "2026-03-09T20:00"),  # over a weekend and the change of clocks
        ("2026-03-04T14:00", 86_400, "2026-03-04T21:00"),
        ("2026-03-04T14:30", 86_400, "2026-03-05T21:00"),  # the day's only bar has begun
    ],
)
def test_a_day_order_lives_to_the_close_of_its_session(accepted: str, seconds: int, expires: str) -> None:
    at, ends = (datetime.fromisoformat(f"{text}+00:00") for text in (accepted, expires))
    assert sessions_of("XNYS").day_order_expires(at, seconds) == ends


def test_round_the_clock_a_day_order_lives_to_a_utc_midnight() -> None:
    sessions = sessions_of("24/7")
    midnight = datetime(2026, 3, 5, tzinfo=UTC)
    assert sessions.day_order_expires(NOON, 5) == midnight
    assert sessions.day_order_expires(midnight - timedelta(seconds=2), 5) == midnight + timedelta(days=1)


def test_timeframes() -> None:
    assert parse_timeframe("5Min") == Timeframe(300)
    assert parse_timeframe("1Day") == Timeframe(86_400)
    assert parse_timeframe("1Week") == Timeframe(86_400, "week")
    assert parse_timeframe("3Month") == Timeframe(86_400, "month", 3)
    assert [parse_timeframe(raw) for raw in ("60Min", "24Hour", "2Day", "2Week", "5Month", "0Min", "x")] == [None] * 7


def test_odd_minutes_and_weeks_are_joined_from_finer_bars(world: ScriptedWorld, venue: Venue) -> None:
    world.clock.at = OPENS[3] + timedelta(hours=7)
    market = MarketData(world, venue.sessions)
    weeks = market.bars("AAA", OPENS[0] - timedelta(days=1), OPENS[3], Timeframe(86_400, "week"))
    assert [(b.open, b.close, b.volume) for b in weeks] == [(100, 110, 4e6)]
    assert market.bars("AAA", OPENS[0], OPENS[3], Timeframe(60)) == []
    fine = ScriptedWorld({"BBB": flat(bars=400)})
    fine.at(1_500)
    sevens = MarketData(fine, sessions_of("24/7")).bars(
        "BBB", NOON - timedelta(minutes=1), NOON + timedelta(minutes=19, seconds=59), Timeframe(420)
    )
    assert [b.volume for b in sevens] == [12e6 * n for n in (2, 7, 7, 5)]
