"""An approved order is judged once more at the prices of the moment, and leaves only while that verdict is fresh."""

from datetime import datetime, timedelta

import pytest

from stonks_core.errors import ConflictError, TransientError
from stonks_core.stores.postgres import Database
from stonks_trading.console import approvals
from stonks_trading.console.author import Author
from stonks_trading.session import TradingSession
from tests.trading.bench import TICKER, Bench, at


@pytest.fixture
def bench(database: Database) -> Bench:
    made = Bench(database)
    made.lake.recommend("r1", at(15, 30))
    database.execute("INSERT INTO risk_configs (key, value) VALUES ('risk.approval_above_dollars', '10')")
    return made


def waiting(bench: Bench) -> TradingSession:
    session = bench.session()
    session.reconcile()
    session.decide(at(16))
    assert list(session.send_outbox(at(16)).held.values()) == ["waits for an operator's approval"]
    return session


def review(bench: Bench, when: datetime, *, approve: bool = True) -> None:
    with bench.database.connection() as connection:
        (row,) = connection.execute("SELECT approval_id FROM approval_requests").fetchall()
        approvals.review(connection, Author("looked at it", when, "Ada"), row["approval_id"], approve=approve)


def approval(bench: Bench) -> dict[str, object]:
    (row,) = bench.database.fetch("SELECT status, recheck, rechecked_at, reviewed_by FROM approval_requests")
    return row


def test_a_yes_is_checked_at_fresh_prices_and_the_order_leaves(bench: Bench) -> None:
    session = waiting(bench)
    review(bench, at(16, 10))
    assert bench.broker.submitted == 0
    assert len(session.send_outbox(bench.to(at(16, 11))).sent) == 1
    assert approval(bench) == {
        "status": "approved",
        "recheck": "eligible",
        "rechecked_at": at(16, 11),
        "reviewed_by": "Ada",
    }
    verdicts = bench.database.fetch("SELECT source, eligible, as_of FROM risk_evaluations ORDER BY as_of")
    assert [(v["source"], v["eligible"]) for v in verdicts] == [("order", True), ("approval", True)]


def test_a_yes_to_prices_that_are_gone_sends_nothing(bench: Bench) -> None:
    session = waiting(bench)
    bench.database.execute("INSERT INTO risk_configs (key, value) VALUES ('risk.max_order_dollars', '20')")
    review(bench, at(16, 10))
    delivered = session.send_outbox(bench.to(at(16, 11)))
    assert (delivered.sent, bench.broker.submitted) == ([], 0)
    (order,) = bench.orders()
    assert (order["state"], order["broker_code"]) == ("rejected", "recheck")
    assert "order_size" in order["reason"]
    assert approval(bench)["recheck"] == "refused"
    assert session.send_outbox(bench.to(at(16, 12))).sent == []


def test_a_stale_quote_is_no_fresh_price(bench: Bench) -> None:
    session = waiting(bench)
    review(bench, at(16, 10))
    bench.clock.advance_to(at(16, 11))  # the broker's own clock, and its quotes, stand still
    session.send_outbox(at(16, 11))
    assert approval(bench)["recheck"] == "refused"
    assert "quote" in bench.orders()[0]["reason"]


def test_without_quotes_it_waits_and_in_the_end_lapses(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    session = waiting(bench)
    review(bench, at(16, 10))

    def silent(tickers: object) -> dict[str, object]:
        raise TransientError("the broker gives no quotes")

    with monkeypatch.context() as patch:
        patch.setattr(bench.broker, "quotes", silent)
        with pytest.raises(TransientError, match="no quotes"):
            session.send_outbox(bench.to(at(16, 11)))
        assert approval(bench)["recheck"] == ""
        assert session.send_outbox(bench.to(at(20, 10))).sent == []
    assert approval(bench)["recheck"] == "lapsed"
    assert (bench.orders()[0]["state"], bench.broker.submitted) == ("rejected", 0)


def test_what_was_checked_and_could_not_leave_is_checked_again(bench: Bench) -> None:
    session = waiting(bench)
    review(bench, at(16, 10))
    bench.database.execute("UPDATE approval_requests SET recheck = 'eligible', rechecked_at = %s", (at(16, 10),))
    assert len(session.send_outbox(bench.to(at(16, 20))).sent) == 1
    assert approval(bench)["rechecked_at"] == at(16, 20)


def test_a_no_and_a_second_word(bench: Bench) -> None:
    session = waiting(bench)
    review(bench, at(16, 10), approve=False)
    with pytest.raises(ConflictError, match="was rejected by Ada already"):
        review(bench, at(16, 11))
    assert len(session.send_outbox(bench.to(at(16, 12))).refused) == 1
    assert bench.orders()[0]["state"] == "rejected"


def test_a_yes_that_comes_too_late_is_none(bench: Bench) -> None:
    waiting(bench)
    with pytest.raises(ConflictError, match="until"):
        review(bench, at(20))
    assert approval(bench)["status"] == "pending"


def test_stale_ones_are_let_go(bench: Bench) -> None:
    session = waiting(bench)
    with bench.database.connection() as connection:
        assert approvals.expire(connection, Author("tidy", at(16, 30))) == []
        (row,) = approvals.expire(connection, Author("tidy", at(16, 30)), timedelta(minutes=20))
    assert (row["status"], row["ticker"]) == ("expired", TICKER)
    assert len(session.send_outbox(bench.to(at(16, 31))).refused) == 1
