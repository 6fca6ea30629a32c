"""Prices as of an instant: splits taken out, dividends put back, one feed a day, and nothing known too early."""

import math
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stonks_core.prices.adjusting import Actions, Split, adjusted, in_todays_shares, known_actions, known_bars
from stonks_core.prices.reading import read_actions, read_bars
from stonks_core.stores.lake.action_tables import CORPORATE_ACTIONS
from stonks_core.stores.lake.lake import Lake
from stonks_core.stores.lake.silver_tables import MARKET_SNAPSHOTS

FIRST = date(2026, 1, 1)
AFTER = datetime(2026, 3, 1, tzinfo=UTC)
Row = dict[str, Any]


def day(offset: int) -> date:
    return FIRST + timedelta(days=offset)


def close_of(offset: int) -> datetime:
    return datetime.combine(day(offset), datetime.min.time(), UTC) + timedelta(hours=21)


def bar(offset: int, close: float, **more: Any) -> Row:
    end = close_of(offset)
    row: Row = {
        "day": day(offset).isoformat(), "ticker": "AAA", "span": "1d", "start_at": end - timedelta(hours=6),
        "end_at": end, "feed": "polygon", "open": close, "high": close * 1.02, "low": close * 0.98, "close": close,
        "volume": 1000.0, "vwap": None, "raw_sha256": "0", "published_at": end,
        "available_at": end + timedelta(minutes=1),
    }  # fmt: skip
    return {**row, **more}


def action(offset: int, **more: Any) -> Row:
    opened = close_of(offset) - timedelta(hours=6)
    row: Row = {
        "day": day(offset).isoformat(), "ticker": "AAA", "kind": "split", "ex_date": day(offset).isoformat(),
        "provider": "polygon", "action_id": f"a{offset}", "terms": "", "split_from": None, "split_to": None,
        "cash_amount": None, "currency": None, "dividend_type": None, "declared_on": None, "record_on": None,
        "pay_on": None, "raw_sha256": "0", "published_at": opened, "available_at": opened,
    }  # fmt: skip
    return {**row, **more}


def split(offset: int, before: float, after: float, **more: Any) -> Row:
    return action(offset, split_from=before, split_to=after, terms=f"{before:g}:{after:g}", **more)


def dividend(offset: int, amount: float, **more: Any) -> Row:
    paid = {"kind": "dividend", "cash_amount": amount, "currency": "USD", "terms": f"{amount} USD"}
    return action(offset, **{**paid, **more})


def bars_of(*rows: Row) -> pa.Table:
    return pa.Table.from_pylist(list(rows), schema=MARKET_SNAPSHOTS.schema)


def actions_of(*rows: Row) -> pa.Table:
    return pa.Table.from_pylist(list(rows), schema=CORPORATE_ACTIONS.schema)


def series(bars: pa.Table, name: str = "close") -> list[float]:
    found: list[float] = bars[name].to_pylist()
    return found


PRICES = st.lists(st.floats(1, 1000), min_size=2, max_size=20)
RATIOS = st.sampled_from([(1, 10), (1, 2), (2, 3), (10, 1), (50, 1), (1, 1.05)])


@given(PRICES, st.integers(1, 19), RATIOS)
def test_a_split_inside_a_window_leaves_it_as_if_there_had_been_none(
    closes: list[float], at: int, terms: tuple[float, float]
) -> None:
    at = min(at, len(closes) - 1)
    ratio = terms[1] / terms[0]
    raw = [close * ratio if n < at else close for n, close in enumerate(closes)]
    volumes = [1000.0 / ratio if n < at else 1000.0 for n in range(len(closes))]
    traded = bars_of(*(bar(n, close, volume=volumes[n]) for n, close in enumerate(raw)))
    plain = bars_of(*(bar(n, close) for n, close in enumerate(closes)))
    found = adjusted(traded, actions_of(split(at, *terms)), AFTER)
    for name in ("open", "high", "low", "close", "volume", "total_return"):
        wanted = adjusted(plain, actions_of(), AFTER)
        assert series(found, name) == pytest.approx(series(wanted, name), rel=1e-12)


def test_prices_are_in_the_scale_of_the_instant_that_asks() -> None:
    bars = bars_of(bar(0, 100), bar(1, 102), bar(2, 10.4), bar(3, 10.5))
    actions = actions_of(split(2, 1, 10))
    assert series(adjusted(bars, actions, close_of(1) + timedelta(hours=1))) == [100, 102]
    assert series(adjusted(bars, actions, close_of(2) - timedelta(hours=6))) == pytest.approx([10, 10.2])
    assert series(adjusted(bars, actions, AFTER)) == pytest.approx([10, 10.2, 10.4, 10.5])


def test_a_split_known_ahead_counts_from_its_ex_date_on_and_not_before() -> None:
    bars = bars_of(bar(0, 100), bar(1, 102))
    ahead = actions_of(split(3, 1, 10, available_at=close_of(0), published_at=close_of(0)))
    assert series(adjusted(bars, ahead, close_of(2))) == [100, 102]
    assert series(adjusted(bars, ahead, close_of(3) - timedelta(hours=12))) == pytest.approx([10, 10.2])


def test_a_split_that_becomes_known_later_changes_nothing_computed_for_before() -> None:
    bars = bars_of(bar(0, 100), bar(1, 102), bar(2, 10.4), bar(3, 10.5))
    late = actions_of(split(2, 1, 10, available_at=close_of(3)))
    before = close_of(3) - timedelta(microseconds=1)
    assert adjusted(bars, late, before).equals(adjusted(bars, actions_of(), before))
    assert series(adjusted(bars, late, close_of(3)))[0] == pytest.approx(10)


def test_a_dividend_is_put_back_into_returns_and_never_into_prices() -> None:
    bars = bars_of(bar(0, 100), bar(1, 98), bar(2, 99))
    found = adjusted(bars, actions_of(dividend(1, 2.0)), AFTER)
    assert series(found) == [100, 98, 99]
    total = series(found, "total_return")
    assert total[1] / total[0] - 1 == pytest.approx((98 + 2) / 100 - 1)
    assert total[2] / total[1] == pytest.approx(99 / 98)
    assert total[-1] == 99


def test_a_dividend_before_a_split_is_told_in_todays_shares() -> None:
    bars = bars_of(bar(0, 100), bar(1, 98), bar(2, 9.9))
    found = series(adjusted(bars, actions_of(dividend(1, 2.0), split(2, 1, 10)), AFTER), "total_return")
    assert found[1] / found[0] - 1 == pytest.approx(0.0)
    assert found[2] / found[1] == pytest.approx(9.9 / 9.8)


def test_a_split_and_a_dividend_of_one_day() -> None:
    bars = bars_of(bar(0, 100), bar(1, 9.8))
    found = series(adjusted(bars, actions_of(dividend(1, 0.2), split(1, 1, 10)), AFTER), "total_return")
    assert found[1] / found[0] - 1 == pytest.approx(0.0)


@pytest.mark.parametrize("more", [{"currency": "CAD"}, {"available_at": AFTER + timedelta(seconds=1)}])
def test_a_dividend_in_other_money_or_not_known_yet_is_left_out(more: Row) -> None:
    found = adjusted(bars_of(bar(0, 100), bar(1, 98)), actions_of(dividend(1, 2.0, **more)), AFTER)
    assert series(found, "total_return") == [100, 98]


def test_a_dividend_without_a_bar_after_it_changes_nothing() -> None:
    found = adjusted(bars_of(bar(0, 100), bar(1, 98)), actions_of(dividend(5, 2.0)), AFTER)
    assert series(found, "total_return") == [100, 98]


def test_a_running_session_carries_its_own_dividend() -> None:
    shot = bar(1, 97, span="snapshot", end_at=close_of(1) - timedelta(hours=2), available_at=close_of(1))
    found = adjusted(bars_of(bar(0, 100), shot), actions_of(dividend(1, 2.0)), AFTER)
    total = series(found, "total_return")
    assert total[1] / total[0] - 1 == pytest.approx((97 + 2) / 100 - 1)


def test_the_same_split_listed_by_two_vendors_counts_once() -> None:
    twice = actions_of(split(1, 1, 10), split(1, 1, 10, provider="alpaca", action_id="other"))
    assert known_actions(twice, AFTER)["AAA"].splits == (Split(day(1).isoformat(), 10.0),)


def test_a_correction_counts_from_when_it_was_known() -> None:
    rows = actions_of(split(1, 1, 10), split(1, 1, 20, action_id="a1", available_at=close_of(2)))
    assert known_actions(rows, close_of(1))["AAA"].splits[0].ratio == 10
    assert known_actions(rows, close_of(2))["AAA"].splits[0].ratio == 20


def test_a_regular_and_a_special_dividend_of_one_day_both_count() -> None:
    rows = actions_of(dividend(1, 1.0), dividend(1, 3.0, action_id="special"))
    assert sorted(paid.amount for paid in known_actions(rows, AFTER)["AAA"].dividends) == [1.0, 3.0]


@pytest.mark.parametrize(
    ("feeds", "spoken"),
    [
        (["iex", "sip"], "sip"), (["sandbox", "iex"], "iex"), (["polygon_delayed", "polygon"], "polygon"),
        (["iex", "polygon_delayed"], "polygon_delayed"), (["zzz", "sandbox"], "sandbox"), (["zzz", "other"], "other"),
    ],
)  # fmt: skip
def test_one_feed_speaks_for_a_day(feeds: list[str], spoken: str) -> None:
    rows = [bar(0, 100 + n, feed=feed) for n, feed in enumerate(feeds)]
    assert known_bars(bars_of(*rows, bar(1, 5, feed=feeds[0])), AFTER)["feed"].to_pylist() == [spoken, feeds[0]]


def test_a_preferred_feed_that_is_not_known_yet_does_not_speak() -> None:
    late = bar(0, 200, feed="sip", available_at=AFTER)
    assert series(known_bars(bars_of(late, bar(0, 100, feed="iex")), AFTER - timedelta(seconds=1))) == [100]


def test_other_tickers_are_left_alone() -> None:
    rows = [bar(n, 100, ticker=ticker) for ticker in ("AAB", "AA", "AAA") for n in (0, 1)]
    found = adjusted(bars_of(*rows), actions_of(split(1, 1, 10)), AFTER)
    assert found["ticker"].to_pylist() == ["AA", "AA", "AAA", "AAA", "AAB", "AAB"]
    assert sorted(series(found)) == [10, 100, 100, 100, 100, 100]


def test_what_the_lake_holds_is_read_as_of_an_instant(lake: Lake) -> None:
    shot = bar(
        2, 10.6, span="snapshot", end_at=close_of(2) - timedelta(hours=2), available_at=close_of(2) - timedelta(hours=2)
    )
    rows = [bar(0, 100), bar(1, 102), bar(0, 7, ticker="BBB"), {**shot, "feed": "sandbox"}]
    lake.merge(MARKET_SNAPSHOTS, rows)
    lake.merge(CORPORATE_ACTIONS, [split(2, 1, 10)])
    days, noon = (day(0), day(2)), close_of(2) - timedelta(hours=1)
    assert series(read_bars(lake, days, noon, tickers=["AAA"])) == pytest.approx([10, 10.2])
    assert series(read_bars(lake, days, noon, tickers=["AAA"], running=True)) == pytest.approx([10, 10.2, 10.6])
    assert series(read_bars(lake, days, noon)) == pytest.approx([10, 10.2, 7])
    assert read_bars(lake, days, noon, tickers=[]).num_rows == 0
    assert read_actions(lake, days, noon) == {"AAA": Actions((Split(day(2).isoformat(), 10.0),))}
    assert read_actions(lake, days, close_of(1)) == {}


@given(st.decimals(1, 1000, places=4), st.decimals(1, 1000, places=4))
def test_a_fill_in_todays_shares_is_worth_what_it_was(quantity: Decimal, price: Decimal) -> None:
    own = Actions((Split(day(5).isoformat(), 10.0), Split(day(9).isoformat(), 0.5)))
    for traded, ratio in ((4, 5), (5, Decimal("0.5")), (9, 1)):
        shares, each = in_todays_shares(quantity, price, day(traded).isoformat(), own)
        assert shares == quantity * ratio
        assert math.isclose(shares * each, quantity * price, rel_tol=1e-12)


def test_adjusting_changes_no_table_that_it_was_given() -> None:
    bars = bars_of(bar(0, 100), bar(1, 10))
    before = bars.to_pylist()
    adjusted(bars, actions_of(split(1, 1, 10)), AFTER)
    assert bars.to_pylist() == before
    assert np.isfinite(series(bars)).all()
