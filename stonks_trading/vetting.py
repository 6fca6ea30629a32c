"""The risk engine asked about every intent, in the transaction that writes it: the verdict stored, the order let through,
held for a person's approval, or rejected with its reasons.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Literal
from uuid import UUID

from psycopg.types.json import Jsonb

from stonks_core.errors import StonksError
from stonks_core.notifications.notices import leave
from stonks_core.stores.postgres import Connection
from stonks_trading.broker import orders
from stonks_trading.broker.protocol import OrderState
from stonks_trading.decide.rules import TradingRules
from stonks_trading.decision_log import Written
from stonks_trading.records import EngineState, MarketView, OrderPlan, Portfolio
from stonks_trading.risk.checks import CheckResult, OpenOrder, Proposal
from stonks_trading.risk.config import PREFIX, RiskConfig
from stonks_trading.risk.evaluate import RiskEvaluation, evaluate

APPROVAL_FOR = timedelta(hours=4)
Source = Literal["order", "approval", "asked"]
"""What was judged: an intent, an approved order once more, or an order that somebody only asked about."""


class Vetter:
    """Vets the intents of one round; each sees the money that those before it took."""

    def __init__(
        self,
        connection: Connection,
        account_id: str,
        portfolio: Portfolio,
        market: Mapping[str, MarketView],
        state: EngineState,
        rules: TradingRules,
    ) -> None:
        self._connection, self._account_id, self._rules, self._state = connection, account_id, rules, state
        self._portfolio, self._market = portfolio, market
        self._plain = RiskConfig.from_rules(rules, state.tier)
        self._config: RiskConfig | None = None

    def vet(self, written: Written) -> RiskEvaluation | None:
        """Store the verdict on an intent and act on it; None where the decision has no order.

        Raises BadInputError for a buy when a row of `risk_configs` cannot be read: with limits that nobody knows
        nothing is bought. Sells are not bound by those rows and go on.
        """
        decision, order_id = written.decision, written.order_id
        if order_id is None or decision.order is None:
            return None
        verdict = self.judge(order_id, decision.order, decision.as_of)
        self.store(order_id, decision.order, verdict, decision.as_of, "order")
        if not verdict.eligible:
            self._reject(order_id, verdict, decision.as_of)
        elif verdict.requires_approval:
            self._ask(order_id, decision.order, verdict, decision.as_of)
        if verdict.eligible:
            self._portfolio = _after(self._portfolio, decision.order)
        return verdict

    def judge(self, order_id: str, plan: OrderPlan, as_of: datetime) -> RiskEvaluation:
        """The verdict on an order at an instant; nothing is stored. Raises BadInputError as `vet` does."""
        proposal = Proposal(
            order=plan,
            client_order_id=order_id,
            portfolio=self._portfolio,
            market=self._market,
            as_of=as_of,
            open_orders=self._open(order_id),
            tripped=self._state.tripped,
        )
        config = self._limits() if plan.side == "buy" else self._plain
        return evaluate(proposal, config, self._rules.broker_mode)

    def _limits(self) -> RiskConfig:
        if self._config is None:
            rows = self._connection.execute(
                "SELECT key, value FROM risk_configs WHERE starts_with(key, %s)", (PREFIX,)
            ).fetchall()
            self._config = self._plain.with_rows({row["key"]: row["value"] for row in rows})
        return self._config

    def _open(self, order_id: str) -> list[OpenOrder]:
        rows = self._connection.execute(
            """
            SELECT order_id, ticker, side, purpose, tranche FROM orders
            WHERE account_id = %s AND order_id <> %s AND state NOT IN ('filled', 'canceled', 'expired', 'rejected')
            """,
            (self._account_id, order_id),
        ).fetchall()
        return [OpenOrder(r["order_id"], r["ticker"], r["side"], r["purpose"], r["tranche"]) for r in rows]

    def store(
        self, order_id: str | None, plan: OrderPlan, verdict: RiskEvaluation, as_of: datetime, source: Source
    ) -> UUID:
        """Store a verdict with the order it is about; its id. `order_id` is None where there is no such order."""
        return store_verdict(self._connection, self._account_id, order_id, plan, verdict, as_of, source)

    def _reject(self, order_id: str, verdict: RiskEvaluation, as_of: datetime) -> None:
        row = orders.locked(self._connection, order_id)
        if row is not None:
            why = " ".join(verdict.reasons)
            orders.move(self._connection, row, OrderState.REJECTED, as_of, "engine", why, code="risk")

    def _ask(self, order_id: str, plan: OrderPlan, verdict: RiskEvaluation, as_of: datetime) -> None:
        self._connection.execute(
            """
            INSERT INTO approval_requests (order_id, reason, requested_at, expires_at) VALUES (%s, %s, %s, %s)
            ON CONFLICT DO NOTHING
            """,
            (order_id, verdict.approval_reason, as_of, as_of + APPROVAL_FOR),
        )
        leave(
            self._connection,
            as_of,
            "warning",
            f"{plan.side} of {plan.ticker} waits for approval",
            verdict.approval_reason,
        )


def store_verdict(
    connection: Connection,
    account_id: str,
    order_id: str | None,
    plan: OrderPlan,
    verdict: RiskEvaluation,
    as_of: datetime,
    source: Source,
) -> UUID:
    """Store what the risk engine said of an order, and of which; the evaluation's id."""
    row = connection.execute(
        """
        INSERT INTO risk_evaluations (account_id, order_id, ticker, side, eligible, needs_approval, checks, reasons,
            as_of, source, proposal)
        VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s) RETURNING evaluation_id
        """,
        (
            account_id,
            order_id,
            plan.ticker,
            plan.side,
            verdict.eligible,
            verdict.requires_approval,
            Jsonb([_told(result) for result in verdict.results]),
            Jsonb(list(verdict.reasons)),
            as_of,
            source,
            Jsonb({name: str(value) if isinstance(value, Decimal) else value for name, value in vars(plan).items()}),
        ),
    ).fetchone()
    if row is None:
        raise StonksError("the database stored a risk evaluation and did not say under which id")
    return UUID(str(row["evaluation_id"]))


def _told(result: CheckResult) -> dict[str, Any]:
    return {
        "name": result.name,
        "passed": result.passed,
        "limit": None if result.limit is None else str(result.limit),
        "value": None if result.value is None else str(result.value),
        "sentence": result.sentence,
    }


def expire_approvals(connection: Connection, as_of: datetime) -> int:
    """Let go of approvals that nobody gave in time, or that could not be checked again in time; how many."""
    lapsed = connection.execute(
        """
        UPDATE approval_requests SET recheck = 'lapsed', rechecked_at = %(as_of)s
        WHERE status = 'approved' AND recheck = '' AND expires_at <= %(as_of)s
        """,
        {"as_of": as_of},
    ).rowcount
    return (
        lapsed
        + connection.execute(
            "UPDATE approval_requests SET status = 'expired' WHERE status = 'pending' AND expires_at <= %s", (as_of,)
        ).rowcount
    )


def _after(portfolio: Portfolio, plan: OrderPlan) -> Portfolio:
    zero = Decimal(0)
    if plan.side == "sell":
        selling = portfolio.pending_sells.get(plan.ticker, zero) + (plan.quantity or zero)
        return replace(portfolio, pending_sells={**portfolio.pending_sells, plan.ticker: selling})
    dollars = plan.notional or zero
    buying = portfolio.pending_buys.get(plan.ticker, zero) + dollars
    return replace(
        portfolio,
        pending_buys={**portfolio.pending_buys, plan.ticker: buying},
        committed=portfolio.committed + dollars,
    )
