"""Both profits of a real round trip: sale by sale and in all, each of which is the sum of the other."""

from decimal import Decimal

import pytest

from stonks_core.stores.postgres import Database
from stonks_trading.console import profit
from tests.trading.bench import TICKER, Bench, at, with_a_profit

ACCOUNT = "acc"


@pytest.fixture
def bench(database: Database) -> Bench:
    return with_a_profit(database)


def test_each_sale_and_the_whole_have_both_profits(bench: Bench) -> None:
    with bench.database.connection() as connection:
        (sale,) = profit.sales(connection, ACCOUNT, 10)
        total = profit.totals(connection, ACCOUNT, at(20))
    told, worse = total["broker"], total["conservative"]
    assert (sale["ticker"], sale["purpose"], sale["price"]) == (TICKER, "take_profit", 150)
    assert told["realised"] == told["total"] == sale["realised_pnl"] == bench.broker.cash - bench.broker.opening
    assert worse["realised"] == worse["total"] == sale["conservative_pnl"]
    assert (told["unrealised"], worse["unrealised"], told["fees"], total["sales"]) == (0, 0, 0, 1)
    assert 0 < sale["difference"] == told["total"] - worse["total"]
    assert sale["conservative_price"] < sale["price"]
    proceeds = sale["quantity"] * sale["conservative_price"]
    exact = Decimal("0.0000206") * proceeds + Decimal("0.000195") * sale["quantity"]
    assert 0 <= worse["fees"] - exact < Decimal("0.000001")


def test_what_is_held_counts_in_both(bench: Bench) -> None:
    bench.lake.recommend("r2", bench.clock.now(), ticker="ACME")
    session = bench.session()
    session.reconcile()
    session.decide(bench.later(minutes=1))
    session.send_outbox(bench.later(seconds=5))
    bench.broker.fill_all()
    session.sweep(bench.later(seconds=5))
    bench.broker.prices["ACME"] = Decimal("50.50")
    session.sync(bench.later(minutes=2))
    with bench.database.connection() as connection:
        total = profit.totals(connection, ACCOUNT, at(20))
        assert profit.sales(connection, ACCOUNT, 10, ticker="ACME") == []
    (held,) = bench.database.fetch("SELECT * FROM positions WHERE ticker = 'ACME'")
    assert total["broker"]["unrealised"] == held["quantity"] * (held["price"] - held["cost"])
    assert total["conservative"]["unrealised"] < total["broker"]["unrealised"]
    for told in (total["broker"], total["conservative"]):
        assert told["total"] == told["realised"] + told["unrealised"]


def test_the_rates_in_force_name_their_source() -> None:
    sec, finra = profit.rates(at(12))
    assert (sec["fee"], sec["rate"], sec["cap"]) == ("section_31", Decimal("0.0000206"), None)
    assert (finra["fee"], finra["rate"], finra["cap"]) == ("trading_activity_fee", Decimal("0.000195"), Decimal("9.79"))
    assert "34-104909" in sec["source"]
    assert "SR-FINRA-2024-019" in finra["source"]
