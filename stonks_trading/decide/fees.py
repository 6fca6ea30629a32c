"""What SEC and FINRA take of a sale of shares, by the day of the sale. Pure; a new rate is a new row.

Both fees are the exchange member's, who passes them on. Paper accounts charge neither. The oldest row holds for all days
before it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

_NEW_YORK = ZoneInfo("America/New_York")


@dataclass(frozen=True)
class Rate:
    """A fee from a day on: dollars for each dollar of proceeds or for each share sold, at most `cap` dollars a sale."""

    since: date
    rate: Decimal
    source: str
    cap: Decimal | None = None


SECTION_31 = (
    Rate(date(2024, 5, 22), Decimal("0.0000278"), "SEC fee rate advisory for fiscal year 2024: $27.80 per million"),
    Rate(date(2025, 5, 14), Decimal(0), "SEC fee rate advisory for fiscal year 2025: $0.00 per million"),
    Rate(date(2026, 4, 4), Decimal("0.0000206"), "SEC release 34-104909 of 2026-02-27: $20.60 per million"),
)
"""Dollars for each dollar of proceeds: section 31 of the Securities Exchange Act."""

_FINRA = "FINRA By-Laws, Schedule A, section 1(b), as amended by SR-FINRA-2024-019"
TRADING_ACTIVITY = (
    Rate(date(2024, 1, 1), Decimal("0.000166"), _FINRA, Decimal("8.30")),
    Rate(date(2026, 1, 1), Decimal("0.000195"), _FINRA, Decimal("9.79")),
    Rate(date(2027, 1, 1), Decimal("0.000232"), _FINRA, Decimal("11.61")),
    Rate(date(2028, 1, 1), Decimal("0.000240"), _FINRA, Decimal("12.05")),
)
"""Dollars for each share: FINRA's trading activity fee."""


def in_force(table: Sequence[Rate], day: date) -> Rate:
    """The row of a table, oldest first, that holds on a day."""
    return next((row for row in reversed(table) if row.since <= day), table[0])


def of_sale(quantity: Decimal, proceeds: Decimal, at: datetime) -> Decimal:
    """Dollars that both fees take of a sale of `quantity` shares for `proceeds` dollars; exact, at least 0.

    `at`, aware, is the instant of the execution; its day is New York's.
    """
    day = at.astimezone(_NEW_YORK).date()
    sec, finra = in_force(SECTION_31, day), in_force(TRADING_ACTIVITY, day)
    return _taken(sec, proceeds) + _taken(finra, quantity)


def _taken(rate: Rate, of: Decimal) -> Decimal:
    fee = rate.rate * of
    return fee if rate.cap is None else min(fee, rate.cap)
