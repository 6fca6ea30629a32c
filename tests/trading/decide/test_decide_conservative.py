"""The conservative profit: never better than the broker's, the same facts the same figures; splits and renames in the ledger."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stonks_trading.decide import fees, ledger
from stonks_trading.decide.conservative import conservative
from stonks_trading.decide.ledger import Fill, Rename, Split
from stonks_trading.decide.rules import ConservativeRules

RULES = ConservativeRules()
START = datetime(2026, 5, 4, 14, tzinfo=UTC)

prices = st.decimals("0.01", "900", places=4)
quantities = st.decimals("0.000000001", "5000", places=9)
volumes = st.none() | st.decimals("0", "1000000", places=0)


def fill(side: str, quantity: str, price: str, minute: int = 0, ticker: str = "ACME") -> Fill:
    at = START + timedelta(minutes=minute)
    return Fill(f"o{minute}", "x", ticker, side, Decimal(quantity), Decimal(price), at)  # type: ignore[arg-type]


def test_a_buy_pays_the_ask_and_latency() -> None:
    worse = conservative(fill("buy", "2", "100"), Decimal(99), Decimal(101), Decimal(10**6), RULES)
    assert worse.price == Decimal(101) * Decimal("1.0005")
    assert worse.fee == 0


def test_a_sell_gets_the_bid_less_latency_and_pays_fees() -> None:
    worse = conservative(fill("sell", "2", "100"), Decimal(99), Decimal(101), Decimal(10**6), RULES)
    assert worse.price == Decimal("98.9505")
    assert worse.fee == Decimal("0.004467")  # 197.901 * 0.0000206 + 2 * 0.000195, rounded up


@given(quantities, st.decimals("0.01", "10000000", places=2), st.integers(-2500, 2500))
def test_fees_are_never_below_zero_nor_above_their_rates(quantity: Decimal, proceeds: Decimal, days: int) -> None:
    fee = fees.of_sale(quantity, proceeds, START + timedelta(days=days))
    assert 0 <= fee <= Decimal("0.0000278") * proceeds + min(Decimal("0.00024") * quantity, Decimal("12.05"))


@pytest.mark.parametrize(
    ("at", "fee"),
    [
        ("2023-06-01T15:00", "27.966"),  # the oldest rows hold before them too
        ("2025-05-13T15:00", "27.966"),
        ("2025-05-14T15:00", "0.166"),
        ("2026-01-02T15:00", "0.195"),
        ("2026-04-04T03:59", "0.195"),  # still the third in New York
        ("2026-04-04T04:01", "20.795"),
        ("2027-01-04T15:00", "20.832"),
    ],
)
def test_a_sale_of_a_thousand_shares_for_a_million(at: str, fee: str) -> None:
    day = datetime.fromisoformat(at).replace(tzinfo=UTC)
    assert fees.of_sale(Decimal(1000), Decimal(1_000_000), day) == Decimal(fee)


def test_the_fee_of_shares_is_capped_and_that_of_dollars_is_not() -> None:
    at = datetime(2026, 7, 1, 15, tzinfo=UTC)
    assert fees.of_sale(Decimal(1_000_000), Decimal(0), at) == Decimal("9.79")
    assert fees.of_sale(Decimal(0), Decimal(10**9), at) == 20_600


def test_the_tables_are_in_order_and_name_their_source() -> None:
    for table in (fees.SECTION_31, fees.TRADING_ACTIVITY):
        assert [row.since for row in table] == sorted({row.since for row in table})
        assert all(row.rate >= 0 and row.source for row in table)


def test_what_is_above_the_participation_costs_more() -> None:
    small, large, unknown = (
        conservative(fill("buy", "20", "100"), None, None, volume, RULES).price
        for volume in (Decimal(2000), Decimal(1000), None)
    )
    assert (small, large, unknown) == (Decimal("100.05"), Decimal("100.55"), Decimal("101.05"))


@given(st.sampled_from(["buy", "sell"]), quantities, prices, st.none() | prices, st.none() | prices, volumes)
def test_no_fill_is_better_than_the_brokers(
    side: str, quantity: Decimal, price: Decimal, bid: Decimal | None, ask: Decimal | None, volume: Decimal | None
) -> None:
    told = replace(fill(side, "1", "1"), quantity=quantity, price=price)
    worse = conservative(told, bid, ask, volume, RULES)
    assert worse.price >= price if side == "buy" else worse.price <= price
    assert worse.price > 0
    assert worse.fee >= told.fee
    assert replace(worse, price=told.price, fee=told.fee) == told
    assert conservative(told, bid, ask, volume, RULES) == worse


@given(
    st.lists(
        st.tuples(st.booleans(), st.decimals("0.001", "10", places=3), prices, st.none() | prices, volumes),
        max_size=12,
    )
)
def test_no_sale_and_no_sum_is_better_than_the_brokers(
    steps: list[tuple[bool, Decimal, Decimal, Decimal | None, Decimal | None]],
) -> None:
    told: list[Fill] = []
    worse: list[Fill] = []
    held = Decimal(0)
    for minute, (buys, quantity, price, far, volume) in enumerate(steps):
        side = "buy" if buys or held < quantity else "sell"
        held += quantity if side == "buy" else -quantity
        told.append(replace(fill(side, "1", "1", minute), quantity=quantity, price=price))
        worse.append(conservative(told[-1], far, far, volume, RULES))
    brokers, others = ledger.book(told), ledger.book(worse)
    assert others.profit <= brokers.profit
    assert others.cash <= brokers.cash
    assert [s.fill.order_id for s in others.realised] == [s.fill.order_id for s in brokers.realised]
    assert all(o.profit <= b.profit for o, b in zip(others.realised, brokers.realised, strict=True))
    for ticker, holding in brokers.holdings.items():
        assert others.holdings[ticker].total_cost >= holding.total_cost


def test_a_split_changes_shares_and_neither_cost_nor_cash() -> None:
    split = Split("ACME", Decimal(4), START + timedelta(minutes=5))
    fills = [fill("buy", "3", "100"), fill("sell", "12", "30", 9)]
    between = ledger.book(fills[:1], [split])
    assert between.holdings["ACME"] == ledger.Holding(Decimal(12), Decimal(300), Decimal(0), START)
    assert between.cash == -300
    whole = ledger.book(fills, [split, split])
    assert (whole.profit, whole.holdings, whole.oversold) == (60, {}, ())


def test_a_reverse_split_pays_out_the_part_of_a_share() -> None:
    split = Split("ACME", Decimal("0.1"), START + timedelta(minutes=5), paid_out=Decimal("0.5"))
    book = ledger.book([fill("buy", "25", "4")], [split])
    assert (book.holdings["ACME"].quantity, book.holdings["ACME"].total_cost) == (2, 100)


def test_a_rename_moves_what_was_held_before_it_only() -> None:
    rename = Rename("ACME", "APEX", START + timedelta(minutes=5))
    later = fill("buy", "1", "7", 9)  # another company has the old ticker now
    book = ledger.book([fill("buy", "3", "100"), later, fill("sell", "3", "110", 12, "APEX")], [rename])
    assert set(book.holdings) == {"ACME"}
    assert (book.holdings["ACME"].quantity, book.profit) == (1, 30)
    assert [trade.ticker for trade in book.closed] == ["APEX"]


@given(st.lists(st.tuples(st.booleans(), st.decimals("0.01", "50", places=2)), max_size=10), st.randoms())
def test_the_order_of_adjustments_and_fills_does_not_matter(steps: list[tuple[bool, Decimal]], chance: object) -> None:
    fills = [fill("buy" if buys else "sell", str(q), "10", 2 * n) for n, (buys, q) in enumerate(steps)]
    changes = [Split("ACME", Decimal(2), START + timedelta(minutes=2 * n + 1)) for n in range(0, len(steps), 3)]
    shuffled, mixed = fills[:], changes[:]
    chance.shuffle(shuffled)  # type: ignore[attr-defined]
    chance.shuffle(mixed)  # type: ignore[attr-defined]
    assert ledger.book(shuffled, mixed) == ledger.book(fills, changes)
