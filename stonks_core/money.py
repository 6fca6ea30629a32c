"""Dollars and quantities as Decimals, with the roundings that a broker and a ledger ask for."""

from decimal import ROUND_DOWN, ROUND_HALF_EVEN, Decimal

CENT = Decimal("0.01")
SUB_PENNY = Decimal("0.0001")
NANO_SHARE = Decimal("0.000000001")


def dollars(value: Decimal | float | str) -> Decimal:
    """An amount rounded to cents, half to even."""
    return Decimal(str(value)).quantize(CENT, rounding=ROUND_HALF_EVEN)


def dollars_down(value: Decimal | float | str) -> Decimal:
    """An amount cut to cents, so that a limit is never exceeded by rounding."""
    return Decimal(str(value)).quantize(CENT, rounding=ROUND_DOWN)


def shares_down(value: Decimal | float | str) -> Decimal:
    """A quantity cut to the nine decimals that fractional orders allow."""
    return Decimal(str(value)).quantize(NANO_SHARE, rounding=ROUND_DOWN)


def order_price(value: Decimal | float | str) -> Decimal:
    """A limit or stop price as a broker takes it: cents at and above a dollar, four decimals below."""
    price = Decimal(str(value))
    return price.quantize(CENT if price >= 1 else SUB_PENNY, rounding=ROUND_HALF_EVEN)
