"""The second profit: each fill as it might have been in a real market, never better than the broker told it. Pure.

Paper fills at the middle, in any size, at once and for nothing. Here a buy pays at least the ask that its decision saw, a
sell gets at most the bid; latency, size and fees come on top. The same facts always give the same figures.
"""

from dataclasses import replace
from decimal import ROUND_DOWN, ROUND_UP, Decimal

from stonks_trading.decide import fees
from stonks_trading.decide.ledger import Fill
from stonks_trading.decide.rules import ConservativeRules

GRID = Decimal("0.000001")
ZERO = Decimal(0)


def conservative(
    fill: Fill,
    bid: Decimal | None,
    ask: Decimal | None,
    typical_volume: Decimal | None,
    rules: ConservativeRules,
) -> Fill:
    """The fill with the worse price and fee. `bid` and `ask` are the decision's quote, `typical_volume` shares a session.

    buy:  max(price, ask) * (1 + latency + impact * excess);  sell: min(price, bid) * (1 - latency - impact * excess)
    excess = share of the fill above participation * typical volume; where that is unknown, all of it
    fee of a sell = the broker's + what `fees` takes of it on its day
    """
    worse = rules.latency + rules.impact * _excess(fill.quantity, typical_volume, rules)
    if fill.side == "buy":
        paid = max(fill.price, ask or ZERO) * (1 + worse)
        return replace(fill, price=paid.quantize(GRID, rounding=ROUND_UP))
    got = min(fill.price, bid or fill.price) * (1 - worse)
    price = min(fill.price, max(GRID, got.quantize(GRID, rounding=ROUND_DOWN)))
    fee = fees.of_sale(fill.quantity, fill.quantity * price, fill.at)
    return replace(fill, price=price, fee=fill.fee + fee.quantize(GRID, rounding=ROUND_UP))


def _excess(quantity: Decimal, typical_volume: Decimal | None, rules: ConservativeRules) -> Decimal:
    if typical_volume is None:
        return Decimal(1)
    fits = rules.participation * typical_volume
    return max(ZERO, quantity - fits) / quantity
