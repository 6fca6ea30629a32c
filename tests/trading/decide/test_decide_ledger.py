"""Average cost, by hand and in sum."""

from datetime import timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from stonks_trading.decide.ledger import Fill, Holding, book
from stonks_trading.records import Side
from tests.trading.decide.desk import NOON, cents, dec

count = iter(range(1_000_000))


def fill(
    side: Side,
    quantity: object,
    price: object,
    minute: int = 0,
    *,
    ticker: str = "ACME",
    fee: object = 0,
    name: str = "",
) -> Fill:
    return Fill(
        "o",
        name or f"e{next(count)}",
        ticker,
        side,
        dec(quantity),
        dec(price),
        NOON + timedelta(minutes=minute),
        dec(fee),
    )


def test_average_cost_by_hand() -> None:
    # 10 at 100 and 10 at 110 cost 105 each; 5 sold at 120 realise 75; 15 sold at 90 lose 225
    fills = [fill("buy", 10, 100, 0), fill("buy", 10, 110, 1), fill("sell", 5, 120, 2)]
    open_ = book(fills)
    assert open_.holdings["ACME"].average_cost == 105
    assert (open_.holdings["ACME"].quantity, open_.profit, open_.cash) == (15, 75, -1500)
    assert open_.closed == ()
    shut = book([*fills, fill("sell", 15, 90, 3)])
    assert shut.holdings == {}
    assert [r.profit for r in shut.realised] == [75, -225]
    (trade,) = shut.closed
    assert (trade.profit, trade.opened_at, trade.closed_at) == (-150, NOON, NOON + timedelta(minutes=3))
    assert shut.cash == -150


def test_fees_lower_the_profit_on_both_sides() -> None:
    result = book([fill("buy", 1, 100, 0, fee=1), fill("sell", 1, 110, 1, fee=2)])
    assert (result.profit, result.cash) == (7, 7)


def test_the_last_share_takes_the_cost_to_its_last_digit() -> None:
    result = book([fill("buy", "0.000000003", "0.01", 0), fill("sell", "0.000000003", "0.02", 1)])
    assert (result.profit, result.cash, result.holdings) == (dec("0.00000000003"), dec("0.00000000003"), {})


def test_an_execution_counts_once() -> None:
    once = fill("buy", 1, 100, name="same")
    assert book([once, once]) == book([once])


def test_more_than_is_held_is_refused_and_named() -> None:
    result = book([fill("buy", 1, 100, 0), fill("sell", 2, 100, 1, name="x9")])
    assert result.holdings["ACME"] == Holding(Decimal(1), Decimal(100), Decimal(0), NOON)
    (refused,) = result.oversold
    assert (refused.held, refused.sentence.split(":")[0]) == (1, "Execution x9 sells 2 of ACME, but 1 are held")


fills = st.lists(
    st.builds(
        fill,
        st.sampled_from(["buy", "buy", "sell"]),
        st.decimals(Decimal("0.000000001"), Decimal(500), places=9),
        cents("0.01", "900"),
        st.integers(0, 50),
        ticker=st.sampled_from(["ACME", "BOLT"]),
        fee=cents("0", "1"),
    ),
    max_size=25,
)


@given(fills, st.randoms(use_true_random=False))
def test_cash_cost_and_profit_add_up_exactly(given_, random) -> None:  # type: ignore[no-untyped-def]
    result = book(given_)
    cost = sum((h.total_cost for h in result.holdings.values()), Decimal(0))
    assert result.cash == result.profit - cost
    assert all(h.quantity > 0 and h.total_cost >= 0 for h in result.holdings.values())
    assert book(random.sample(given_, len(given_))) == result
    bought = {
        t: sum((f.quantity for f in given_ if (f.ticker, f.side) == (t, "buy")), Decimal(0)) for t in ("ACME", "BOLT")
    }
    refused = {o.fill.execution_id for o in result.oversold}
    for ticker, quantity in bought.items():
        sold = sum(
            (f.quantity for f in given_ if (f.ticker, f.side) == (ticker, "sell") and f.execution_id not in refused),
            Decimal(0),
        )
        assert result.holdings.get(ticker, Holding()).quantity == quantity - sold >= 0
