"""Steering the engine over HTTP, and the engine doing what the rows say: one bench behind a real server."""

import threading
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from stonks_api.app import create_app
from stonks_core.settings import load_settings
from stonks_core.stores.lake.lake import Lake
from stonks_core.stores.postgres import Database
from stonks_trading.session import TradingSession
from tests.api.conftest import TOKEN, serving
from tests.trading.bench import TICKER, Bench, at

WHY = {"reason": "said the test", "person": "Ada L."}
STATE = "/api/trading/status"
ORDER = {"idempotency_key": "my-order-1", "ticker": TICKER.lower(), "side": "buy", "notional": 20}
CHANGES = (
    ("/api/trading/pause", {}),
    ("/api/trading/resume", {}),
    ("/api/trading/kill-switch", {"on": True}),
    ("/api/trading/cancel-all", {}),
    ("/api/trading/flatten", {}),
    ("/api/trading/reset", {"confirm": "reset"}),
    ("/api/trading/override/order", ORDER),
    ("/api/trading/breakers/manual/trip", {}),
    ("/api/trading/breakers/manual/reset", {}),
    ("/api/trading/requests/00000000-0000-0000-0000-000000000000/withdraw", {}),
    ("/risk/approvals/00000000-0000-0000-0000-000000000000/review", {"decision": "approve"}),
    ("/risk/approvals/expire", {}),
)
LISTS = (
    "/api/trading/decisions?kind=recommendation&reason=sized",
    "/api/trading/requests?open=true&kind=flatten",
    "/api/trading/breakers?breaker=manual",
    "/api/trading/audit?actor=operator",
    "/api/trading/notifications/history?severity=critical",
    "/api/trading/config/history",
    "/api/trading/tiers",
    "/api/trading/reserve/ledger",
    "/api/trading/sales?ticker=orcl",
    "/risk/evaluations?ticker=orcl&source=order&eligible=true",
    "/risk/approvals?status=pending",
    "/risk/config/history",
)


@pytest.fixture
def bench(database: Database) -> Bench:
    made = Bench(database)
    made.lake.recommend("r1", at(15, 30))
    return made


@pytest.fixture
def api(bench: Bench, lake: Lake) -> Iterator[httpx.Client]:
    """The API at the bench's clock, asked by the operator."""

    def build(port: int) -> Any:
        return create_app(bench.settings, bench.database, lake, token=TOKEN, port=port, clock=bench.clock)

    with serving(build) as client:
        client.headers.update({"authorization": f"Bearer {TOKEN}"})
        yield client


@pytest.fixture
def session(bench: Bench) -> TradingSession:
    made = bench.session()
    made.reconcile()
    return made


def told(api: httpx.Client, path: str, status: int = 200, method: str = "POST", **body: Any) -> dict[str, Any]:
    answer = api.request(method, path, json={**WHY, **body})
    assert answer.status_code == status, answer.text
    return dict(answer.json())


def asked(api: httpx.Client, path: str) -> dict[str, Any]:
    answer = api.get(path)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


@pytest.mark.parametrize(("path", "body"), CHANGES)
def test_nobody_but_the_operator_and_nothing_without_a_reason(
    api: httpx.Client, session: TradingSession, database: Database, path: str, body: dict[str, Any]
) -> None:
    assert session.account_id
    before = database.fetch("SELECT * FROM engine_control ORDER BY key")
    without = {key: value for key, value in {**WHY, **body}.items() if key != "reason"}
    assert api.post(path, json=without).status_code == 422
    assert httpx.post(f"{api.base_url}{path}", json={**WHY, **body}).status_code == 401
    assert database.fetch("SELECT * FROM engine_control ORDER BY key") == before
    assert database.fetch("SELECT 1 FROM audit_events") == []


def test_before_an_engine_ever_ran_the_state_says_so_and_nothing_can_be_asked(api: httpx.Client) -> None:
    state = asked(api, STATE)
    assert (state["lease"], state["account"], state["entries"]["open"]) == (None, None, False)
    assert "the engine has not met its broker yet" in state["entries"]["closed_because"]
    for path, body in CHANGES:
        if not path.endswith(("pause", "resume", "kill-switch", "withdraw", "review", "expire")):
            assert "no broker account yet" in told(api, path, 409, **body)["detail"]
    for path in LISTS:
        assert asked(api, path) == {"items": [], "next_cursor": None}
    assert told(api, "/risk/evaluate", 422)["status"] == 422
    judged = api.post("/risk/evaluate", json={"ticker": TICKER, "side": "buy", "notional": 20})
    assert judged.status_code == 409


def test_a_pause_reaches_the_engine_and_its_end_too(
    api: httpx.Client, session: TradingSession, bench: Bench, database: Database
) -> None:
    state = told(api, "/api/trading/pause")
    assert state["paused"] | {"on": True, "by": "Ada L.", "reason": WHY["reason"]} == state["paused"]
    assert state["entries"] == {"open": False, "closed_because": ["the engine is paused"]}
    assert [d.reason for d in session.decide(at(16))] == ["paused"]
    told(api, "/api/trading/pause")
    assert told(api, "/api/trading/resume")["entries"] == {"open": True, "closed_because": []}
    assert [d.outcome for d in session.decide(bench.to(at(16, 1)))] == ["act"]
    audit = asked(api, "/api/trading/audit")["items"]
    assert [(one["action"], one["detail"]["person"]) for one in audit] == [
        ("trading_resumed", "Ada L."),
        ("trading_paused", "Ada L."),
    ]
    assert database.fetch("SELECT 1 FROM audit_events WHERE detail->>'trace_id' IS NULL") == []


def test_after_the_kill_switch_has_answered_the_broker_hears_of_no_order(
    api: httpx.Client, session: TradingSession, bench: Bench
) -> None:
    bench.lake.recommend("r2", at(15, 40), ticker="ACME")
    session.decide(at(16))
    under_way, go_on = threading.Event(), threading.Event()
    answered: list[int] = []

    def step(name: str) -> None:
        if name == "submit.before":
            under_way.set()
            assert go_on.wait(20)

    def kill() -> None:
        assert told(api, "/api/trading/kill-switch", on=True)["kill_switch"]["on"] is True
        answered.append(bench.broker.submitted)

    bench.broker.step = step
    sender = threading.Thread(target=session.send_outbox, args=(at(16),))
    sender.start()
    assert under_way.wait(20)
    killer = threading.Thread(target=kill)
    killer.start()
    waiting = "SELECT 1 FROM pg_locks WHERE NOT granted AND locktype = 'advisory'"
    assert any(bench.database.fetch(waiting) for _ in range(20_000))
    assert answered == []
    go_on.set()
    killer.join(20)
    sender.join(20)
    assert (answered, bench.broker.submitted) == ([1], 1)
    assert "the kill switch is on" in asked(api, STATE)["entries"]["closed_because"]
    assert "kill switch" in told(api, "/api/trading/override/order", 409, **ORDER)["detail"]
    told(api, "/api/trading/kill-switch", on=False)
    assert len(session.send_outbox(at(16, 1)).sent) == 1


def test_flatten_pauses_sells_everything_and_stays_paused(
    api: httpx.Client, session: TradingSession, bench: Bench
) -> None:
    session.decide(at(16))
    session.send_outbox(at(16))
    bench.broker.fill_all()
    session.sweep(at(16))
    request = told(api, "/api/trading/flatten", 202)
    assert told(api, "/api/trading/flatten", 202)["request_id"] == request["request_id"]
    assert asked(api, "/api/trading/requests?open=true")["items"][0]["kind"] == "flatten"
    session.obey(bench.to(at(16, 1)))
    session.send_outbox(at(16, 1))
    bench.broker.fill_all()
    session.sweep(bench.to(at(16, 2)))
    session.obey(at(16, 2))
    state = asked(api, STATE)
    assert (state["account"]["positions"], state["requests"], state["paused"]["on"]) == (0, [], True)
    (done,) = asked(api, "/api/trading/requests")["items"]
    assert (done["outcome"], done["note"]) == ("done", "no position is open")
    assert "over already" in told(api, f"/api/trading/requests/{done['request_id']}/withdraw", 409)["detail"]


def test_an_order_by_hand_is_one_order_under_its_key(api: httpx.Client, session: TradingSession, bench: Bench) -> None:
    first = told(api, "/api/trading/override/order", 202, **ORDER)
    again = told(api, "/api/trading/override/order", 202, **ORDER)
    assert (first["order_id"], first["decision_id"]) == (again["order_id"], again["decision_id"])
    told(api, "/api/trading/override/order", 409, **{**ORDER, "notional": 21})
    for bad in ({"quantity": 1}, {"side": "sell"}, {"type": "limit"}, {"notional": -1}, {"idempotency_key": "x"}):
        told(api, "/api/trading/override/order", 422, **{**ORDER, **bad})
    unknown = told(
        api, "/api/trading/override/order", 422, **{**ORDER, "idempotency_key": "my-order-2", "ticker": "ZZZ"}
    )
    assert unknown["errors"][0]["where"] == "ticker"
    session.obey(bench.to(at(16, 1)))
    session.send_outbox(at(16, 1))
    order = asked(api, f"/api/orders/{first['order_id']}")
    assert (order["state"], order["purpose"], order["risk"][0]["eligible"]) == ("accepted", "override", True)
    assert len(bench.broker.placed) == 1


def test_breakers_by_hand(api: httpx.Client, session: TradingSession, bench: Bench) -> None:
    assert session.account_id
    assert "by its measure" in told(api, "/api/trading/breakers/volatility/trip", 400)["detail"]
    told(api, "/api/trading/breakers/moon/trip", 422)
    (tripped,) = told(api, "/api/trading/breakers/manual/trip")["breakers"]
    assert (tripped["breaker"], tripped["reason"], tripped["resets_at"]) == ("manual", WHY["reason"], None)
    assert tripped["stands"] == "stays until a person resets it"
    assert [d.reason for d in session.decide(at(16))] == ["breaker"]
    assert told(api, "/api/trading/breakers/manual/reset")["engine"]["breakers"] == []
    assert "not tripped" in told(api, "/api/trading/breakers/manual/reset", 409)["detail"]
    bench.database.execute(
        """
        INSERT INTO circuit_breaker_events (account_id, at, breaker, event, resets_at, reason)
        VALUES ('acc', %s, 'daily_loss', 'trip', %s, 'equity fell')
        """,
        (at(16), at(17)),
    )
    (tripped,) = asked(api, STATE)["breakers"]
    assert tripped["seconds_left"] == 3600
    bench.to(at(17))
    assert asked(api, STATE)["breakers"] == []
    events = asked(api, "/api/trading/breakers")["items"]
    assert [(one["breaker"], one["event"]) for one in events] == [
        ("daily_loss", "trip"),
        ("manual", "reset"),
        ("manual", "trip"),
    ]


def test_settings_change_under_their_version_and_the_engine_follows(
    api: httpx.Client, session: TradingSession, bench: Bench
) -> None:
    path = "/api/trading/config"
    assert asked(api, path)["version"] == 0
    body = {"values": {"absolute_position_cap": 12.5}, "risk_tier": "aggressive", "auto_tier": False}
    changed = told(api, path, method="PUT", version=0, **body)
    assert (changed["risk_tier"], changed["auto_tier"]) == ("aggressive", False)
    cap = next(one for one in changed["settings"] if one["name"] == "absolute_position_cap")
    assert (cap["value"], cap["environment"], cap["overridden"]) == (12.5, 50.0, True)
    assert cap["variable"] == "TRADING_ABSOLUTE_POSITION_CAP"
    assert "somebody else was first" in told(api, path, 409, method="PUT", version=0, values={})["detail"]
    bad = told(
        api, path, 422, method="PUT", version=changed["version"], values={"enabled": True, "max_open_positions": 0}
    )
    assert [one["where"] for one in bad["errors"]] == ["enabled", "max_open_positions"]
    assert asked(api, STATE)["tier"] == "aggressive"
    session.decide(bench.to(at(16, 1)))
    assert float(bench.orders()[0]["notional"]) == 12.5
    back = told(api, path, method="PUT", version=changed["version"], unset=["absolute_position_cap"])
    assert not any(one["overridden"] for one in back["settings"])
    keys = [one["key"] for one in asked(api, f"{path}/history")["items"]]
    assert keys == [
        "trading.absolute_position_cap",
        "trading.auto_tier",
        "trading.risk_tier",
        "trading.absolute_position_cap",
    ]
    assert asked(api, "/api/trading/tiers")["items"][0]["actor"] == "Ada L."


def test_a_reset_says_what_it_does_and_must_be_meant(api: httpx.Client, session: TradingSession) -> None:
    assert session.account_id
    told(api, "/api/trading/reset", 422)
    request = told(api, "/api/trading/reset", 202, confirm="reset")
    assert "audit trail stay as they are" in request["detail"]["does"]
    assert asked(api, STATE)["paused"]["on"] is True


def test_the_dump_helps_and_keeps_secrets(database: Database, lake: Lake, bench: Bench) -> None:
    secrets = {
        "BROKER_API_KEY": "hush-key",
        "BROKER_API_SECRET": "hush-secret",
        "TRADING_SNS_PHONE_NUMBER": "+4912345678",
    }
    settings = load_settings({**secrets, "TRADING_GMAIL_SENDER": "hush@mail.example"})
    session = bench.session()
    session.reconcile()
    session.decide(at(16))

    def build(port: int) -> Any:
        return create_app(settings, database, lake, token=TOKEN, port=port, clock=bench.clock)

    with serving(build) as client:
        answer = client.get("/api/trading/debug")
    report = answer.json()["report"]
    assert answer.status_code == 200
    assert "hush" not in answer.text
    assert "+49" not in answer.text
    assert TOKEN not in answer.text
    assert report["orders_by_state"] == {"intended": 1}
    assert (report["broker"]["key_is_set"], report["in_force"]["max_open_positions"]) == (True, 10)
    assert report["quotes"]["n"] >= 1


def test_lists_go_on_where_they_stopped(api: httpx.Client, session: TradingSession) -> None:
    assert session.account_id
    for _ in range(2):
        told(api, "/api/trading/pause")
        told(api, "/api/trading/resume")
    seen, cursor = [], ""
    while cursor is not None:
        found = asked(api, f"/api/trading/audit?limit=1&cursor={cursor}")
        seen += [one["action"] for one in found["items"]]
        cursor = found["next_cursor"]
    assert seen == ["trading_resumed", "trading_paused"] * 2
    assert api.get("/api/trading/audit?cursor=WyJ4Il0").status_code == 400


def test_profit_and_reserve_are_told_before_and_after_the_first_trade(
    api: httpx.Client, session: TradingSession
) -> None:
    assert session.account_id
    found = asked(api, "/api/trading/profit")
    assert found["broker"] == found["conservative"] == {"realised": 0, "unrealised": 0, "total": 0, "fees": 0}
    assert [rate["rate"] for rate in found["rates"]] == [0.0000206, 0.000195]
    assert asked(api, "/api/trading/reserve") == {
        "balance": 0, "moved": {}, "siphon_share": 0.2, "high_water_share": 0.3, "emergency_drawdown": 0.4,
    }  # fmt: skip
