"""What Alpaca would refuse, refused before it is sent. Pure; what only the broker can know stays the broker's."""

import re
from decimal import Decimal

from stonks_trading.broker.protocol import Asset, OrderRequest

LEAST_NOTIONAL = Decimal(1)
MOST_DECIMALS = 9
LONGEST_CLIENT_ORDER_ID = 48
_TICKER = re.compile(r"^[A-Z0-9][A-Z0-9.\-/]{0,11}$")
_CENTS = 2
_SUB_DOLLAR_DECIMALS = 4


def refusals(request: OrderRequest, asset: Asset | None) -> tuple[str, ...]:
    """Why the broker would refuse an order, one sentence each; empty when it is well formed.

    Equities only: exactly one of quantity and notional, at least a dollar (a fraction that is bought: at its highest
    price), at most nine decimals; fractions and notionals only as DAY orders on fractionable assets; prices in cents,
    four decimals below a dollar; limit and stop prices exactly where the type has them, a stop-limit's limit on the
    stop's far side.
    """
    return (
        *_identity(request),
        *_size(request),
        *_fraction(request, asset),
        *_prices(request),
        *_asset(request, asset),
    )


def _identity(request: OrderRequest) -> tuple[str, ...]:
    problems = []
    if not 0 < len(request.client_order_id) <= LONGEST_CLIENT_ORDER_ID:
        problems.append(f"the client order id has {len(request.client_order_id)} characters, allowed are 1 to 48")
    if not _TICKER.match(request.ticker):
        problems.append(f"{request.ticker!r} is not a ticker")
    return tuple(problems)


def _size(request: OrderRequest) -> tuple[str, ...]:
    if (request.notional is None) == (request.quantity is None):
        return ("exactly one of notional and quantity must be given",)
    size = request.notional if request.notional is not None else request.quantity
    what = "notional" if request.notional is not None else "quantity"
    if size is None or not size.is_finite() or size <= 0:
        return (f"a {what} of {size} is not above zero",)
    most = _CENTS if what == "notional" else MOST_DECIMALS
    if _decimals(size) > most:
        return (f"a {what} of {size} has more than {most} decimals",)
    if what == "notional" and size < LEAST_NOTIONAL:
        return (f"a notional of {size} dollars is below the least, one dollar",)
    return ()


def _fraction(request: OrderRequest, asset: Asset | None) -> tuple[str, ...]:
    whole = request.quantity is not None and request.quantity == request.quantity.to_integral_value()
    if whole:
        return ()
    problems = []
    if request.time_in_force != "day":
        problems.append(f"fractional and notional orders are DAY orders, not {request.time_in_force}")
    if asset is not None and not asset.fractionable:
        problems.append(f"{request.ticker} trades in whole shares only")
    prices = [price for price in (request.limit_price, request.stop_price) if price is not None and price.is_finite()]
    if request.side == "buy" and request.quantity is not None and request.quantity.is_finite() and prices:
        worth = max(prices) * request.quantity
        if worth < LEAST_NOTIONAL:
            problems.append(
                f"{request.quantity} shares for {worth.normalize():f} dollars are below the least, one dollar"
            )
    return tuple(problems)


def _prices(request: OrderRequest) -> tuple[str, ...]:
    problems = []
    wanted = {
        "limit price": (request.limit_price, request.type in {"limit", "stop_limit"}),
        "stop price": (request.stop_price, request.type in {"stop", "stop_limit"}),
    }
    for name, (price, needed) in wanted.items():
        if (price is not None) != needed:
            problems.append(f"a {request.type} order must {'' if needed else 'not '}have a {name}")
        elif price is not None:
            problems += _increment(name, price)
    if not problems and request.type == "stop_limit" and request.limit_price and request.stop_price:
        crossed = (
            request.limit_price < request.stop_price
            if request.side == "buy"
            else request.limit_price > request.stop_price
        )
        if crossed:
            problems.append(
                f"a {request.side} stop-limit cannot fill: stop {request.stop_price}, limit {request.limit_price}"
            )
    return tuple(problems)


def _increment(name: str, price: Decimal) -> list[str]:
    if not price.is_finite() or price <= 0:
        return [f"a {name} of {price} is not above zero"]
    most = _CENTS if price >= 1 else _SUB_DOLLAR_DECIMALS
    if _decimals(price) > most:
        return [f"a {name} of {price} has more than {most} decimals (sub-penny)"]
    return []


def _asset(request: OrderRequest, asset: Asset | None) -> tuple[str, ...]:
    if asset is None:
        return (f"the broker does not know {request.ticker}",)
    return () if asset.tradable else (f"the broker does not trade {request.ticker}",)


def _decimals(value: Decimal) -> int:
    exponent = value.normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0
