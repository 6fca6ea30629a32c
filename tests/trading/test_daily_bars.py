"""What trading reads of prices: today's scale, one feed a day, and nothing before it was known."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from stonks_core.calendar import MarketCalendar
from stonks_core.stores.lake.action_tables import CORPORATE_ACTIONS
from stonks_core.stores.lake.silver_tables import MARKET_SNAPSHOTS
from stonks_trading import market
from stonks_trading.decide.stops import Bar, atr
from stonks_trading.history import DailyBar
from stonks_trading.inputs import DailyBars
from tests.trading.bench import FakeLake, at

CALENDAR = MarketCalendar("XNYS")
LAST = date(2026, 5, 1)
SPLIT_ON = date(2026, 4, 20)
NOW = at(15)
CLOSES = [100 + (n % 4) for n in range(40)]


def split(known_at: datetime, ratio: float = 10) -> dict[str, Any]:
    return {
        "day": SPLIT_ON.isoformat(), "ticker": "AAA", "kind": "split", "ex_date": SPLIT_ON.isoformat(),
        "provider": "polygon", "action_id": "s", "terms": f"1:{ratio:g}", "split_from": 1.0, "split_to": ratio,
        "available_at": known_at, "published_at": known_at,
    }  # fmt: skip


def lake(*actions: dict[str, Any], ratio: float = 1) -> FakeLake:
    """AAA in today's scale of about 100 dollars, traded at `ratio` times as much before the split's day."""
    held = FakeLake()
    held.bars("AAA", LAST, CLOSES, CALENDAR)
    for row in held.rows[MARKET_SNAPSHOTS.name]:
        if row["day"] < SPLIT_ON.isoformat():
            row |= {name: row[name] * ratio for name in ("high", "low", "close")}
    held.rows[CORPORATE_ACTIONS.name] = list(actions)
    return held


def ranges(bars: tuple[DailyBar, ...]) -> Decimal | None:
    each = [tuple(Decimal(str(price)) for price in (bar.high, bar.low, bar.close)) for bar in bars]
    return atr([Bar(*prices) for prices in each])


def test_a_split_inside_leaves_ranges_and_volatility_as_if_there_had_been_none() -> None:
    plain = DailyBars(lake()).of(["AAA"], NOW)
    found = DailyBars(lake(split(NOW - timedelta(days=20)), ratio=10)).of(["AAA"], NOW)
    assert [bar.close for bar in found["AAA"]] == [bar.close for bar in plain["AAA"]] == CLOSES
    assert ranges(found["AAA"]) == ranges(plain["AAA"])
    assert found.market_volatility() == plain.market_volatility()
    assert market.view("AAA", None, found, [], "") == market.view("AAA", None, plain, [], "")
    torn = DailyBars(lake(ratio=10)).of(["AAA"], NOW)
    assert (torn.market_volatility() or 0) > 3 * (plain.market_volatility() or 0)


def test_ranges_are_in_the_scale_of_the_day_that_asks() -> None:
    read = DailyBars(lake(split(NOW - timedelta(days=40)), ratio=10))
    before = ranges(read.of(["AAA"], datetime(2026, 4, 17, 21, tzinfo=NOW.tzinfo))["AAA"])
    after = ranges(read.of(["AAA"], NOW)["AAA"])
    assert before is not None
    assert after is not None
    assert before > 15 > 5 > after


def test_a_split_is_taken_out_as_soon_as_it_is_known_and_not_before() -> None:
    known_at = NOW + timedelta(minutes=1)
    read = DailyBars(lake(split(known_at), ratio=10))
    assert read.of(["AAA"], NOW)["AAA"][0].close == 10 * CLOSES[0]
    assert read.of(["AAA"], known_at)["AAA"][0].close == pytest.approx(CLOSES[0])
    assert read.of(["AAA"], NOW)["AAA"][0].close == 10 * CLOSES[0], "and an earlier instant sees what it saw"


def test_a_new_row_is_seen_and_snapshots_are_none() -> None:
    held = lake()
    read = DailyBars(held)
    count = len(read.of(["AAA"], NOW)["AAA"])
    newest = dict(held.rows[MARKET_SNAPSHOTS.name][-1])
    today = {"day": NOW.date().isoformat(), "start_at": NOW, "end_at": NOW, "available_at": NOW, "close": 1.0}
    held.rows[MARKET_SNAPSHOTS.name].append({**newest, **today, "span": "snapshot"})
    assert len(read.of(["AAA"], NOW)["AAA"]) == count
    held.rows[MARKET_SNAPSHOTS.name].append({**newest, **today})
    assert [bar.close for bar in read.of(["AAA"], NOW)["AAA"]][-1] == 1.0


def test_only_what_is_asked_for_is_there() -> None:
    held = lake()
    held.bars("BBB", LAST, CLOSES, CALENDAR)
    assert {name: len(bars) for name, bars in DailyBars(held).of(["BBB", "ZZZ"], NOW).items()} == {"BBB": 40, "ZZZ": 0}
