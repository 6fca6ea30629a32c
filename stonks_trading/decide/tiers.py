"""The three risk tiers, their limits, and when the engine moves from one to the next.

What a limit does to one order is in `sizing`; who may set a tier by hand is the API's business.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType

from stonks_core.vocabulary import RiskTier

TRADES_JUDGED = 20  # closed trades that the win rate is taken over
SESSIONS_BETWEEN_STEPS = 5
DRAWDOWN_DOWN, DRAWDOWN_UP = Decimal("0.10"), Decimal("0.05")
WIN_RATE_DOWN, WIN_RATE_UP = Decimal("0.40"), Decimal("0.60")
HEAT_SHARE_UP = Decimal("0.5")  # of the tier's own heat limit


@dataclass(frozen=True)
class TierLimits:
    """What a tier allows. Shares are of 1; `max_position` and `max_sector` are of the active pool, heat is of equity."""

    min_confidence: float
    max_position: Decimal
    stop_atr: Decimal
    reward_risk: Decimal
    max_sector: Decimal
    max_heat: Decimal


TIERS: Mapping[RiskTier, TierLimits] = MappingProxyType(
    {
        RiskTier.CONSERVATIVE: TierLimits(
            min_confidence=0.75,
            max_position=Decimal("0.05"),
            stop_atr=Decimal("1.5"),
            reward_risk=Decimal("2.0"),
            max_sector=Decimal("0.20"),
            max_heat=Decimal("0.10"),
        ),
        RiskTier.MODERATE: TierLimits(
            min_confidence=0.55,
            max_position=Decimal("0.10"),
            stop_atr=Decimal("2.0"),
            reward_risk=Decimal("1.5"),
            max_sector=Decimal("0.30"),
            max_heat=Decimal("0.20"),
        ),
        RiskTier.AGGRESSIVE: TierLimits(
            min_confidence=0.40,
            max_position=Decimal("0.15"),
            stop_atr=Decimal("2.5"),
            reward_risk=Decimal("1.2"),
            max_sector=Decimal("0.40"),
            max_heat=Decimal("0.30"),
        ),
    }
)
LADDER = (RiskTier.CONSERVATIVE, RiskTier.MODERATE, RiskTier.AGGRESSIVE)


@dataclass(frozen=True)
class TierReview:
    """The outcome of one review: `after` equals `before` where nothing changes."""

    before: RiskTier
    after: RiskTier
    reason: str  # drawdown, win_rate, performance, too_soon, at_the_end, within_bounds
    sentence: str
    drawdown: Decimal
    win_rate: Decimal | None
    heat: Decimal

    @property
    def changed(self) -> bool:
        """Whether the tier moves."""
        return self.before is not self.after


def drawdown(equity: Decimal, high_water_equity: Decimal) -> Decimal:
    """Share of the highest equity so far that is lost now, in [0, ...]; 0 where there was never any equity."""
    if high_water_equity <= 0:
        return Decimal(0)
    return max(Decimal(0), (high_water_equity - equity) / high_water_equity)


def win_rate(closed_trades: Sequence[Decimal]) -> Decimal | None:
    """Share of profits among the last 20 closed trades (realised dollars, oldest first).

    None with fewer than 20: a handful of trades says nothing, and must not move a tier.
    """
    if len(closed_trades) < TRADES_JUDGED:
        return None
    last = closed_trades[-TRADES_JUDGED:]
    return Decimal(sum(1 for pnl in last if pnl > 0)) / TRADES_JUDGED


def review_tier(
    tier: RiskTier,
    *,
    equity: Decimal,
    high_water_equity: Decimal,
    closed_trades: Sequence[Decimal],
    heat: Decimal,
    sessions_since_change: int | None,
    tiers: Mapping[RiskTier, TierLimits] = TIERS,
) -> TierReview:
    """What the tier should be after a close.

    Down one where drawdown > 10 % or the win rate of the last 20 closed trades < 40 %; up one where drawdown < 5 %,
    win rate > 60 % and heat (share of equity) < half the tier's limit; never two steps within 5 sessions.
    `sessions_since_change` counts whole sessions since the last step; None where there was none.
    """
    lost, wins = drawdown(equity, high_water_equity), win_rate(closed_trades)
    step, reason, why = _wish(lost, wins, heat, tiers[tier].max_heat)
    place = LADDER.index(tier) + step
    figures = f"drawdown {lost:.1%}, {_said(wins)}, heat {heat:.1%}"

    def verdict(after: RiskTier, name: str, sentence: str) -> TierReview:
        return TierReview(tier, after, name, sentence, lost, wins, heat)

    if step == 0:
        return verdict(tier, reason, f"The tier stays {tier}: {figures}.")
    if not 0 <= place < len(LADDER):
        return verdict(tier, "at_the_end", f"The tier stays {tier}, there is none beyond it: {why}; {figures}.")
    if sessions_since_change is not None and sessions_since_change < SESSIONS_BETWEEN_STEPS:
        return verdict(
            tier,
            "too_soon",
            f"The tier stays {tier}: {why}, but it changed {sessions_since_change} sessions ago and "
            f"steps are {SESSIONS_BETWEEN_STEPS} sessions apart; {figures}.",
        )
    after = LADDER[place]
    return verdict(after, reason, f"The tier goes from {tier} to {after}: {why}; {figures}.")


def _wish(lost: Decimal, wins: Decimal | None, heat: Decimal, max_heat: Decimal) -> tuple[int, str, str]:
    if lost > DRAWDOWN_DOWN:
        return -1, "drawdown", f"drawdown {lost:.1%} is above {DRAWDOWN_DOWN:.0%}"
    if wins is not None and wins < WIN_RATE_DOWN:
        return -1, "win_rate", f"win rate {wins:.0%} is below {WIN_RATE_DOWN:.0%}"
    cool = max_heat * HEAT_SHARE_UP
    if lost < DRAWDOWN_UP and wins is not None and wins > WIN_RATE_UP and heat < cool:
        return +1, "performance", f"win rate {wins:.0%} is above {WIN_RATE_UP:.0%} and heat below {cool:.0%}"
    return 0, "within_bounds", ""


def _said(wins: Decimal | None) -> str:
    return f"win rate {wins:.0%}" if wins is not None else f"fewer than {TRADES_JUDGED} closed trades"
