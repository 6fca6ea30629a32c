"""The reserve pool: what goes in from profits, what returns, what is used in an emergency, and the ledger of it all.

Every movement is a row; the running balance is the sum of the rows, exactly, and never below zero.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_UP, Decimal
from typing import Literal

from stonks_core.errors import BadInputError
from stonks_core.money import CENT, dollars_down
from stonks_trading.decide.rules import ReserveRules
from stonks_trading.decide.tiers import drawdown

Trigger = Literal["siphon", "high_water_return", "emergency_use"]
ZERO = Decimal(0)


@dataclass(frozen=True)
class ReserveRow:
    """One movement: `amount` above 0 goes into the reserve, below 0 out of it; `balance` is what it holds after."""

    at: datetime
    trigger: Trigger
    amount: Decimal
    balance: Decimal
    note: str


def balance(rows: Iterable[ReserveRow]) -> Decimal:
    """What the reserve holds: the sum of its rows, dollars."""
    return sum((row.amount for row in rows), ZERO)


def siphon(held: Decimal, realised: Decimal, rules: ReserveRules, at: datetime) -> ReserveRow | None:
    """The share of one realised profit that moves to the reserve, cut to the cent; None for a loss or less than a cent."""
    amount = dollars_down(max(ZERO, realised) * rules.siphon)
    if amount <= 0:
        return None
    note = f"{rules.siphon:.0%} of a realised profit of ${realised:.2f}"
    return _row(held, at, "siphon", amount, note)


def high_water_return(held: Decimal, equity: Decimal, rules: ReserveRules, at: datetime) -> ReserveRow | None:
    """The excess over the high-water share of equity, which returns to the active pool; None where there is none.

    Rounded up to the cent, so that what stays is within the limit, and never more than is held.
    """
    limit = rules.high_water * max(ZERO, equity)
    amount = min(held, (held - limit).quantize(CENT, rounding=ROUND_UP))
    if amount <= 0:
        return None
    note = f"the excess over {rules.high_water:.0%} of equity of ${equity:.2f}"
    return _row(held, at, "high_water_return", -amount, note)


def emergency_use(
    held: Decimal, equity: Decimal, high_water_equity: Decimal, rules: ReserveRules, at: datetime
) -> ReserveRow | None:
    """What the reserve gives to the active pool in a severe drawdown: the loss since the highest equity, at most all.

    None while the drawdown does not exceed the emergency threshold, or where nothing is held.
    """
    lost = drawdown(equity, high_water_equity)
    if lost <= rules.emergency_drawdown:
        return None
    amount = min(held, dollars_down(high_water_equity - equity))
    if amount <= 0:
        return None
    note = f"drawdown of {lost:.1%} from ${high_water_equity:.2f}, above {rules.emergency_drawdown:.0%}"
    return _row(held, at, "emergency_use", -amount, note)


def faults(rows: Sequence[ReserveRow]) -> tuple[str, ...]:
    """A sentence for each row, oldest first, whose balance is not the sum of the rows up to it, or is below zero."""
    found: list[str] = []
    running = ZERO
    for number, row in enumerate(rows, start=1):
        running += row.amount
        if row.balance != running:
            found.append(
                f"Row {number} of the reserve ledger ({row.trigger}, {row.at.isoformat()}) says ${row.balance}; its rows "
                f"sum to ${running}."
            )
        if running < 0:
            found.append(f"Row {number} of the reserve ledger takes the reserve to ${running}, below zero.")
    return tuple(found)


def _row(held: Decimal, at: datetime, trigger: Trigger, amount: Decimal, note: str) -> ReserveRow:
    after = held + amount
    if held < 0 or after < 0:
        raise BadInputError(f"the reserve holds ${held} and cannot move ${amount} ({trigger}): check its ledger's rows")
    return ReserveRow(at, trigger, amount, after, note)
