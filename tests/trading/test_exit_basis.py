"""The price that stops look at: fresh before stale, a trade before the middle, never one side of an odd quote first."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from stonks_trading import market
from stonks_trading.broker import wire
from stonks_trading.records import Quote

NOW = datetime(2026, 5, 4, 16, tzinfo=UTC)
AGE = timedelta(minutes=2)


def quote(
    bid: str | None = "9", ask: str | None = "11", last: str | None = "10.5", old: float = 0, last_old: float = 0
) -> Quote:
    sides = [None if side is None else Decimal(side) for side in (bid, ask, last)]
    return Quote("ACME", *sides, NOW - timedelta(minutes=old), "iex", NOW - timedelta(minutes=last_old))


@pytest.mark.parametrize(
    ("shown", "price", "fresh"),
    [
        (quote(), "10.5", True),
        (quote(last_old=3), "10", True),
        (quote(last_old=3, old=3), "10.5", False),
        (quote(bid="12", last_old=3), "10.5", False),
        (quote(ask=None, last=None), "9", False),
        (quote(bid=None, last=None), "8", False),
    ],
)
def test_in_session(shown: Quote, price: str, fresh: bool) -> None:
    basis = market.exit_basis(shown, Decimal(8), market_open=True, as_of=NOW, max_age=AGE)
    assert basis == market.Basis(Decimal(price), fresh)


def test_between_sessions_the_close_speaks() -> None:
    found = market.exit_basis(quote(), Decimal(8), market_open=False, as_of=NOW, max_age=AGE)
    assert found == market.Basis(Decimal(8), fresh=True)
    assert market.exit_basis(None, None, market_open=True, as_of=NOW, max_age=AGE) is None


def test_a_fresh_trade_makes_no_old_quote_fresh() -> None:
    read = wire.quote(
        "ACME",
        "iex",
        {"bp": 9, "ap": 11, "t": "2026-05-04T15:00:00Z"},
        {"p": 10, "t": "2026-05-04T16:00:00Z"},
    )
    assert read is not None
    assert (read.at, read.last_at) == (NOW - timedelta(hours=1), NOW)


@pytest.mark.parametrize(
    ("old", "last_old", "kept"),
    [(0, 0, ("9", "11", "10.5")), (0, 90, ("9", "11", None)), (90, 0, (None, None, "10.5")), (90, 90, None)],
)
def test_what_is_older_than_a_split_is_no_price_in_its_shares(
    old: float, last_old: float, kept: tuple[str | None, ...] | None
) -> None:
    shown = quote(old=old, last_old=last_old)
    told = market.of_these_shares(shown, NOW - timedelta(hours=1))
    assert market.of_these_shares(shown, None) is shown
    if kept is None:
        assert told is None
    else:
        assert told is not None
        assert (told.bid, told.ask, told.last) == tuple(None if value is None else Decimal(value) for value in kept)
