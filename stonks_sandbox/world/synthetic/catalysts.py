"""How often each kind of news happens, how much it moves a price, and how it spreads to rivals and allies.

The true numbers of the market; nothing here is visible outside the truth file.
"""

from dataclasses import dataclass

from stonks_core.vocabulary import Catalyst


@dataclass(frozen=True)
class Force:
    """A catalyst's weights among good and bad news, its typical log effect, its echo, its chance of an 8-K.

    `rival` multiplies the effect for competitors (negative: their loss), `ally` for partners, `pace` is the typical
    number of days of drift.
    """

    good: float
    bad: float
    size: float
    rival: float
    ally: float
    filed: float
    pace: float


FORCES: dict[Catalyst, Force] = {
    Catalyst.EARNINGS_BEAT: Force(9, 0, 0.032, 0.22, 0.15, 0.85, 2.5),
    Catalyst.EARNINGS_MISS: Force(0, 9, 0.034, 0.22, 0.15, 0.85, 2.5),
    Catalyst.GUIDANCE_RAISE: Force(7, 0, 0.034, 0.25, 0.18, 0.8, 3.0),
    Catalyst.GUIDANCE_CUT: Force(0, 7, 0.038, 0.25, 0.18, 0.8, 3.0),
    Catalyst.MERGER_ACQUISITION: Force(6, 3, 0.036, 0.20, 0.10, 0.7, 1.5),
    Catalyst.PRODUCT_LAUNCH: Force(10, 4, 0.019, -0.30, 0.15, 0.0, 2.0),
    Catalyst.REGULATORY: Force(7, 8, 0.025, 0.20, 0.10, 0.3, 2.0),
    Catalyst.LITIGATION: Force(5, 8, 0.021, -0.15, 0.05, 0.15, 2.0),
    Catalyst.MANAGEMENT_CHANGE: Force(4, 6, 0.017, -0.15, 0.05, 0.7, 2.0),
    Catalyst.CAPITAL_RETURN: Force(7, 2, 0.015, 0.05, 0.05, 0.5, 1.5),
    Catalyst.CAPITAL_RAISE: Force(1, 6, 0.022, 0.05, 0.05, 0.6, 1.2),
    Catalyst.INSIDER_TRADE: Force(5, 5, 0.010, 0.0, 0.0, 0.0, 2.5),
    Catalyst.ANALYST_RATING: Force(10, 10, 0.014, 0.10, 0.05, 0.0, 1.5),
    Catalyst.CONTRACT_WIN: Force(11, 0, 0.022, -0.35, 0.20, 0.2, 2.0),
    Catalyst.CONTRACT_LOSS: Force(0, 9, 0.024, -0.35, 0.20, 0.2, 2.0),
    Catalyst.OPERATIONAL_INCIDENT: Force(2, 9, 0.024, -0.25, 0.12, 0.1, 1.5),
    Catalyst.OTHER: Force(5, 5, 0.004, 0.0, 0.0, 0.0, 1.0),
}

NEWS_STRENGTH = 0.75
"""Scale of all company effects; the sizes above are for a market of fewer stories."""

SIZE_SPREAD = 0.35
"""Standard deviation of the log of an event's size around its catalyst's."""

JUMP_SHARE = (0.30, 0.50)
"""How much of an effect the price takes at once; the rest drifts in over the following days."""
