"""The verdict on a proposed order: all checks run, whether it may go, and whether a person must agree first."""

from collections.abc import Callable
from dataclasses import dataclass

from stonks_trading.decide.rules import BrokerMode
from stonks_trading.risk import checks
from stonks_trading.risk.checks import CheckResult, Proposal
from stonks_trading.risk.config import RiskConfig

Check = Callable[[Proposal, RiskConfig], CheckResult]

CHECKS: tuple[Check, ...] = (
    checks.order_size,
    checks.position_limit,
    checks.sector_concentration,
    checks.portfolio_heat,
    checks.daily_loss_limit,
    checks.max_open_positions,
    checks.cash_and_pool,
    checks.no_short,
    checks.duplicate,
    checks.wash_trade,
    checks.quote_is_usable,
    checks.breakers_closed,
)


@dataclass(frozen=True)
class RiskEvaluation:
    """Whether an order is eligible, whether it must be approved first and why, and every check's result.

    `reasons` are the sentences of the checks that failed; `approval_reason` is empty where nobody is asked.
    """

    eligible: bool
    requires_approval: bool
    results: tuple[CheckResult, ...]
    reasons: tuple[str, ...]
    approval_reason: str = ""


def evaluate(proposal: Proposal, config: RiskConfig, broker_mode: BrokerMode) -> RiskEvaluation:
    """All checks on one order. It is eligible where every one passes.

    Ask again with a fresh portfolio and fresh quotes when an approval is given: the verdict is of its instant only.
    """
    results = tuple(check(proposal, config) for check in CHECKS)
    reasons = tuple(f"{r.name}: {r.sentence}" for r in results if not r.passed)
    why = approval_reason(proposal, config, broker_mode) if not reasons else ""
    return RiskEvaluation(not reasons, bool(why), results, reasons, why)


def approval_reason(proposal: Proposal, config: RiskConfig, broker_mode: BrokerMode) -> str:
    """Why a person must agree before an order goes; empty where nobody is asked.

    Only buys are ever held back: in live mode unless that is switched off, and above a configured value in any mode.
    """
    if not proposal.is_buy:
        return ""
    if broker_mode == "live" and config.approval_in_live:
        return "The broker is live, and risk.approval_in_live asks for a person's consent to every buy."
    value, above = checks.worth(proposal, config), config.approval_above_dollars
    if above is not None and (value is None or value > above):
        said = "unknown" if value is None else f"${value:.2f}"
        return f"The order's worth is {said}, above the ${above:.2f} of risk.approval_above_dollars."
    return ""
