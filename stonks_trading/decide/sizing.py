"""How many dollars of a ticker to buy: the size formula, then every limit, each step recorded as a clamp.

A limit only ever shrinks the size. Who may be bought at all is `candidates`; splitting the size is `tranches`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from stonks_core.money import dollars_down
from stonks_trading.decide import exposure
from stonks_trading.decide.rules import TradingRules, share
from stonks_trading.decide.tiers import TierLimits
from stonks_trading.records import Clamp, MarketView, Portfolio

LEAST_SCALE, ONE, ZERO = Decimal("0.25"), Decimal(1), Decimal(0)


@dataclass(frozen=True)
class Sizing:
    """What may still be bought. `reason` names the rule that forbids it; empty where `dollars` may be ordered."""

    dollars: Decimal  # cut to the cent; 0 where refused
    clamps: tuple[Clamp, ...]
    reason: str = ""
    sentence: str = ""


def confidence_scale(confidence: float, minimum: float) -> Decimal:
    """(confidence - minimum) / (1 - minimum), within [0.25, 1]; 1 where the minimum is 1."""
    if minimum >= 1:
        return ONE
    raw = (share(confidence) - share(minimum)) / (ONE - share(minimum))
    return min(ONE, max(LEAST_SCALE, raw))


def correlation_scale(mean_correlation: float) -> Decimal:
    """1 - max(0, mean correlation with the open positions), within [0, 1]."""
    return ONE - share(min(1.0, max(0.0, mean_correlation)))


class _Steps:
    """The running size, exact, and the clamps so far, to the cent."""

    def __init__(self, start: Decimal, rule: str, note: str) -> None:
        self.size = max(ZERO, start)
        self.clamps = [Clamp(rule, None, dollars_down(self.size), note)]

    def scale(self, rule: str, factor: Decimal, note: str) -> None:
        self.size *= factor
        self.clamps.append(Clamp(rule, None, dollars_down(self.size), note))

    def at_most(self, rule: str, limit: Decimal, note: str) -> None:
        room = max(ZERO, limit)
        self.size = min(self.size, room)
        self.clamps.append(Clamp(rule, dollars_down(room), dollars_down(self.size), note))

    def binding(self) -> Clamp:
        """The step that took the size to what it is."""
        return next(c for c in self.clamps if c.after == self.clamps[-1].after)


def size_entry(
    confidence: float,
    view: MarketView,
    price: Decimal,
    portfolio: Portfolio,
    market: Mapping[str, MarketView],
    limits: TierLimits,
    rules: TradingRules,
    *,
    allocation: Decimal | None = None,
) -> Sizing:
    """Dollars of `view.ticker` that may be bought now at `price`.

    Target = active pool * tier's position share * confidence scale * correlation scale (a micro-trade's `allocation`,
    a share of the active pool, bounds it too). Then the least of: the tier's largest position less what is held or
    being bought, the absolute cap less the same, room in the sector, room below the heat limit, cash above the active
    pool's minimum.
    Refused: below the active pool's minimum, no place among the open positions, or less than the least order.
    """
    ticker, pool = view.ticker, portfolio.active_pool
    open_now = exposure.open_tickers(portfolio)
    if pool < rules.active_pool_minimum:
        return Sizing(
            ZERO,
            (),
            "active_pool_minimum",
            f"The active pool of ${pool:.2f} is below its minimum of ${rules.active_pool_minimum:.2f}.",
        )
    if ticker not in open_now and len(open_now) >= rules.max_open_positions:
        return Sizing(
            ZERO,
            (),
            "max_open_positions",
            f"{len(open_now)} positions are open or being opened; {rules.max_open_positions} are allowed.",
        )
    steps = _target(confidence, view, pool, limits, allocation)
    _limit(steps, view, price, portfolio, market, limits, rules)
    size = dollars_down(steps.size)
    if size < rules.least_order:
        least = steps.binding()
        return Sizing(
            ZERO,
            tuple(steps.clamps),
            "below_minimum",
            f"${size} of {ticker} is left after {least.rule} ({least.note}); the least order is ${rules.least_order}.",
        )
    return Sizing(size, tuple(steps.clamps))


def size_again(
    confidence: float, inputs: Mapping[str, str], clamps: Sequence[Mapping[str, str | None]], limits: TierLimits
) -> Decimal:
    """What a traced decision's size would have been at another confidence, all else as recorded; dollars, to the cent.

    `inputs` and `clamps` are of the decision's trace: its limits depend on the portfolio and the market alone, and the
    target on the confidence, so that the recorded confidence gives the recorded size. Whether that reaches the least
    order is the caller's to say.
    """
    target = Decimal(inputs["active_pool"]) * limits.max_position * confidence_scale(confidence, limits.min_confidence)
    target *= correlation_scale(float(inputs["mean_correlation"]))
    rooms = [Decimal(clamp["limit"]) for clamp in clamps if clamp["limit"] is not None]
    return dollars_down(min([max(ZERO, target), *rooms]))


def _target(
    confidence: float, view: MarketView, pool: Decimal, limits: TierLimits, allocation: Decimal | None
) -> _Steps:
    steps = _Steps(
        pool * limits.max_position,
        "tier_position",
        f"{limits.max_position:.0%} of the active pool of ${pool:.2f}",
    )
    scale = confidence_scale(confidence, limits.min_confidence)
    steps.scale(
        "confidence",
        scale,
        f"times {scale:.4f}: confidence {confidence:.4f} over minimum {limits.min_confidence:.2f}",
    )
    scale = correlation_scale(view.mean_correlation)
    steps.scale(
        "correlation",
        scale,
        f"times {scale:.4f}: mean correlation {view.mean_correlation:.4f} with open positions",
    )
    if allocation is not None:
        steps.at_most("micro_allocation", pool * allocation, f"{allocation:.1%} of the active pool a micro-trade")
    return steps


def _limit(
    steps: _Steps,
    view: MarketView,
    price: Decimal,
    portfolio: Portfolio,
    market: Mapping[str, MarketView],
    limits: TierLimits,
    rules: TradingRules,
) -> None:
    pool, held = portfolio.active_pool, exposure.committed_to(portfolio, view.ticker)
    most = pool * limits.max_position
    steps.at_most("tier_room", most - held, f"the tier's ${most:.2f} less ${held:.2f} held or being bought")
    cap = rules.absolute_position_cap
    steps.at_most("absolute_cap", cap - held, f"cap ${cap:.2f} less ${held:.2f} held or being bought")
    sector = exposure.sector_of(view.ticker, portfolio, market) or view.sector
    in_sector = exposure.committed_to_sector(portfolio, sector, market)
    steps.at_most(
        "sector",
        pool * limits.max_sector - in_sector,
        f"{limits.max_sector:.0%} of the active pool less ${in_sector:.2f} in {sector or 'unknown sectors'}",
    )
    at_risk = exposure.heat_dollars(portfolio, market, limits)
    risk = exposure.risk_share(view.atr, price, limits)
    room = portfolio.equity * limits.max_heat - at_risk
    steps.at_most(
        "heat",
        room / risk if risk > 0 else steps.size,
        f"${room:.2f} of risk left below {limits.max_heat:.0%} of equity, {risk:.2%} of each dollar at risk",
    )
    cash = exposure.free_cash(portfolio)
    steps.at_most(
        "cash",
        cash - rules.active_pool_minimum,
        f"free cash ${cash:.2f} above the active pool's minimum of ${rules.active_pool_minimum:.2f}",
    )
