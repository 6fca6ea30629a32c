"""Positions and realised profit by average cost, as a fold over fills. Pure and exact: no cent appears or vanishes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_EVEN, Decimal, localcontext

from stonks_trading.records import Side

_GRAIN = Decimal("0.0000000001")  # what a share of the cost basis is rounded to, dollars
_PRECISION = 60


@dataclass(frozen=True)
class Lot:
    """One fill as the books see it."""

    fill_id: int
    side: Side
    quantity: Decimal
    price: Decimal
    fee: Decimal
    at: datetime


@dataclass(frozen=True)
class Holding:
    """What a ticker's fills amount to: `basis` is what the shares held have cost, dollars."""

    quantity: Decimal
    basis: Decimal
    realised: Decimal
    opened_at: datetime | None

    @property
    def cost(self) -> Decimal:
        """Average entry price, dollars a share; 0 where nothing is held."""
        return self.basis / self.quantity if self.quantity else Decimal(0)


@dataclass(frozen=True)
class Folded:
    """The holding after all fills, and what each fill realised."""

    holding: Holding
    realised: Mapping[int, Decimal]


def fold(lots: Sequence[Lot]) -> Folded:
    """Average-cost accounting over one ticker's fills, oldest first.

    Always: total realised - basis left = sold - bought - fees, to the last digit. A sale beyond what is held leaves a
    negative quantity at that sale's price (an execution was heard of before the one that it sells), which the same
    fold over all fills puts right.
    """
    quantity = basis = realised = Decimal(0)
    opened_at: datetime | None = None
    each: dict[int, Decimal] = {}
    with localcontext() as context:
        context.prec = _PRECISION
        for lot in lots:
            signed = lot.quantity if lot.side == "buy" else -lot.quantity
            closing = min(abs(signed), abs(quantity)) if quantity * signed < 0 else Decimal(0)
            released = _part(basis, closing, abs(quantity))
            gained = (closing * lot.price).copy_sign(-signed) - released - lot.fee
            basis += (signed - closing.copy_sign(signed)) * lot.price - released
            quantity += signed
            realised += gained
            each[lot.fill_id] = gained
            opened_at = _opened(opened_at, quantity, signed, lot.at)
    return Folded(Holding(quantity, basis, realised, opened_at), each)


def _part(basis: Decimal, closing: Decimal, held: Decimal) -> Decimal:
    if closing in (held, 0):
        return basis if closing else Decimal(0)
    return (basis * closing / held).quantize(_GRAIN, rounding=ROUND_HALF_EVEN)


def _opened(opened_at: datetime | None, quantity: Decimal, signed: Decimal, at: datetime) -> datetime | None:
    if quantity == 0:
        return None
    turned = abs(quantity) <= abs(signed) and quantity * signed > 0
    return at if opened_at is None or turned else opened_at
