"""The guards around a session: entries closed with the reason, told once, open again; exits go all the while."""

from datetime import timedelta
from decimal import Decimal

import pytest

from stonks_core.errors import TransientError
from stonks_core.stores.postgres import Database
from stonks_trading.broker.protocol import BrokerClock
from tests.trading.bench import TICKER, Bench, at
from tests.trading.broker.fake_broker import FakeBroker
from tests.trading.test_guardian import holding


def told(database: Database) -> list[tuple[str, str]]:
    rows = database.fetch("SELECT severity, subject FROM notifications WHERE subject LIKE '%%guard%%' ORDER BY id")
    return [(row["severity"], row["subject"]) for row in rows]


def test_a_clock_that_differs_closes_entries_until_it_is_set(database: Database) -> None:
    bench, session = holding(database)
    bench.lake.recommend("r2", at(16), ticker="ACME")
    bench.broker.skew = timedelta(seconds=8)
    (held,) = session.decide(bench.to(at(16, 1)))
    assert (held.outcome, held.reason) == ("skip", "guard")
    assert "8.0 s ahead of this machine's" in held.sentence
    assert session.decide(bench.to(at(16, 2))) == ()
    assert told(database) == [("warning", "the clock guard closes entries")]
    bench.broker.prices[TICKER] = Decimal(200)
    assert [d.reason for d in session.check_stops(bench.clock.now())] == ["take_profit"]
    bench.broker.skew = timedelta(0)
    bought = [d for d in session.decide(bench.to(at(16, 3))) if d.recommendation_id == "r2"]
    assert [d.outcome for d in bought] == ["act"]
    assert told(database)[1:] == [("info", "the clock guard holds again")]


class Closed(FakeBroker):
    """Says that the market is closed while the calendar has a session."""

    def clock(self) -> BrokerClock:
        return BrokerClock(self.now, is_open=False)


class Silent(FakeBroker):
    """Does not tell its clock."""

    def clock(self) -> BrokerClock:
        raise TransientError("GET /clock got no answer")


@pytest.mark.parametrize(
    ("kind", "word"), [(Closed, "the broker says that the market is closed"), (Silent, "session is unknown")]
)
def test_an_unknown_session_is_closed(database: Database, kind: type[FakeBroker], word: str) -> None:
    bench = Bench(database)
    bench.broker = kind(bench.broker.now, prices={TICKER: "100"})
    bench.lake.recommend("r1", at(15, 30))
    session = bench.session()
    session.reconcile()
    (decision,) = session.decide(at(16))
    assert (decision.outcome, decision.reason, decision.final) == ("skip", "guard", False)
    assert word in decision.sentence
    assert bench.orders() == []
