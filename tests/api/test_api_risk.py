"""The risk engine over HTTP: orders judged and not sent, limits with versions, approvals that a person reviews."""

import threading
from typing import Any

import httpx
import pytest

from stonks_core.stores.postgres import Database
from stonks_trading.engine.lease import Lease
from stonks_trading.session import TradingSession
from tests.api.test_api_trading import api, asked, bench, session, told
from tests.trading.bench import TICKER, Bench, at

__all__ = ["api", "bench", "session"]
BUY = {"ticker": TICKER, "side": "buy", "notional": 20}
PENDING = "/risk/approvals?status=pending"


def judged(api: httpx.Client, **order: Any) -> dict[str, Any]:
    answer = api.post("/risk/evaluate", json={**BUY, **order})
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def failed(verdict: dict[str, Any]) -> set[str]:
    return {check["name"] for check in verdict["checks"] if not check["passed"]}


def waits(session: TradingSession, database: Database, api: httpx.Client) -> dict[str, Any]:
    database.execute("INSERT INTO risk_configs (key, value) VALUES ('risk.approval_above_dollars', '10')")
    session.decide(at(16))
    session.send_outbox(at(16))
    (approval,) = asked(api, PENDING)["items"]
    return dict(approval)


def test_an_order_is_judged_stored_and_not_sent(
    api: httpx.Client, session: TradingSession, bench: Bench, database: Database
) -> None:
    assert failed(judged(api)) == {"quote"}  # nobody has seen a quote yet
    given = judged(api, quote={"bid": 99.9, "ask": 100.1})
    assert (given["eligible"], given["needs_approval"], failed(given)) == (True, False, set())
    session.check_stops(at(16))
    session.decide(at(16))
    seen = judged(api, notional=4900)
    assert failed(seen) >= {"order_size", "position_limit", "cash_and_pool"}
    size = next(check for check in seen["checks"] if check["name"] == "order_size")
    assert (float(size["limit"]), float(size["value"])) == (50, 4900)
    assert any(reason.startswith("order_size: ") for reason in seen["reasons"])
    assert "quote" not in failed(seen)
    bench.to(at(16, 10))
    assert "quote" in failed(judged(api))
    assert "no_short" in failed(judged(api, side="sell", notional=None, quantity=1))
    found = asked(api, "/risk/evaluations?source=asked")["items"]
    assert [one["eligible"] for one in found].count(True) == 1
    assert asked(api, f"/risk/evaluations/{seen['evaluation_id']}")["proposal"]["notional"] == "4900"
    assert bench.broker.submitted == 0
    assert len(bench.orders()) == 1  # the decision's own


def test_to_ask_does_not_open_the_day(api: httpx.Client, session: TradingSession, database: Database) -> None:
    assert session.account_id
    judged(api, quote={"bid": 99, "ask": 100})
    assert database.fetch("SELECT 1 FROM daily_risk_snapshots") == []


@pytest.mark.parametrize(
    "bad", [{"quantity": 1}, {"side": "short"}, {"type": "limit"}, {"notional": 0}, {"reason": "not asked for"}]
)
def test_what_is_no_order_is_not_judged(api: httpx.Client, session: TradingSession, bad: dict[str, Any]) -> None:
    assert session.account_id
    assert api.post("/risk/evaluate", json={**BUY, **bad}).status_code == 422


def test_limits_change_under_their_version_and_hold_at_the_next_order(
    api: httpx.Client, session: TradingSession, bench: Bench
) -> None:
    path = "/risk/config"
    limits = {one["name"]: one for one in asked(api, path)["limits"]}
    assert (limits["max_order_dollars"]["value"], limits["max_order_dollars"]["unit"]) == (50.0, "dollars")
    assert limits["approval_above_dollars"]["value"] is None
    changed = told(api, path, method="PUT", version=0, values={"max_order_dollars": 5, "approval_in_live": False})
    assert "somebody else was first" in told(api, path, 409, method="PUT", version=0, values={})["detail"]
    bad = told(api, path, 422, method="PUT", version=changed["version"], values={"max_heat_pct": 3, "moon": 1})
    assert {one["where"] for one in bad["errors"]} == {"max_heat_pct", "moon"}
    session.decide(at(16))
    assert (bench.orders()[0]["state"], bench.orders()[0]["broker_code"]) == ("rejected", "risk")
    told(api, path, method="PUT", version=changed["version"], unset=["max_order_dollars"])
    history = asked(api, f"{path}/history")["items"]
    assert [(one["key"], one["was"], one["now"]) for one in history][:1] == [("risk.max_order_dollars", 5, None)]
    assert {one["actor"] for one in history} == {"Ada L."}


def test_a_yes_waits_for_the_engines_check_and_tells_its_outcome(
    api: httpx.Client, session: TradingSession, bench: Bench, database: Database
) -> None:
    approval = waits(session, database, api)
    lease = Lease(database, "me")
    lease.acquire()
    stop = threading.Event()

    def engine() -> None:
        while not stop.is_set():
            session.send_outbox(at(16, 1))

    bench.to(at(16, 1))
    thread = threading.Thread(target=engine)
    thread.start()
    path = f"/risk/approvals/{approval['approval_id']}"
    reviewed = told(api, f"{path}/review", decision="approve", wait_seconds=20)
    stop.set()
    thread.join(20)
    assert (reviewed["status"], reviewed["recheck"], reviewed["reviewed_by"]) == ("approved", "eligible", "Ada L.")
    assert asked(api, path)["order_state"] == "accepted"
    assert bench.broker.submitted == 1
    assert "was approved by Ada L. already" in told(api, f"{path}/review", 409, decision="reject")["detail"]
    verdict = asked(api, f"/risk/evaluations/{reviewed['recheck_evaluation_id']}")
    assert (verdict["source"], verdict["order_id"]) == ("approval", approval["order_id"])


def test_without_an_engine_a_yes_says_that_the_check_is_to_come(
    api: httpx.Client, session: TradingSession, bench: Bench, database: Database
) -> None:
    approval = waits(session, database, api)
    path = f"/risk/approvals/{approval['approval_id']}/review"
    told(api, path, 422, decision="perhaps")
    assert api.post(path, json={"reason": "no person", "decision": "approve"}).status_code == 422
    reviewed = told(api, path, decision="approve")
    assert (reviewed["recheck"], reviewed["order_state"]) == ("", "intended")
    assert reviewed["stands"] == "Approved; the engine checks it against fresh prices before it leaves."
    database.execute("INSERT INTO risk_configs (key, value) VALUES ('risk.max_order_dollars', '20')")
    session.send_outbox(bench.to(at(16, 1)))
    shown = asked(api, f"/risk/approvals/{approval['approval_id']}")
    assert (shown["recheck"], shown["order_state"], bench.broker.submitted) == ("refused", "rejected", 0)
    assert "did not pass the checks at fresh prices" in shown["stands"]


def test_a_no_and_letting_go(api: httpx.Client, session: TradingSession, bench: Bench, database: Database) -> None:
    approval = waits(session, database, api)
    assert told(api, "/risk/approvals/expire")["items"] == []
    assert asked(api, PENDING)["items"] != []
    reviewed = told(api, f"/risk/approvals/{approval['approval_id']}/review", decision="reject")
    assert reviewed["stands"] == "It was rejected: the order does not leave."
    session.send_outbox(at(16, 1))
    assert bench.orders()[0]["state"] == "rejected"
    bench.lake.recommend("r2", at(16), ticker="ACME")
    session.decide(bench.to(at(16, 2)))
    bench.to(at(16, 32))
    (gone,) = told(api, "/risk/approvals/expire", older_than_minutes=20)["items"]
    assert (gone["status"], gone["ticker"]) == ("expired", "ACME")
    actions = [one["action"] for one in asked(api, "/api/trading/audit?actor=operator")["items"]]
    assert actions == ["order_expired", "order_rejected"]
    assert api.get("/risk/approvals/00000000-0000-0000-0000-000000000000").status_code == 404
