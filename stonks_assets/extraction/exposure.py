"""What a macro event means for a company: exposure by region, sector and commodity. Pure formulas.

geo       = sum over regions of event weight * revenue share
sector    = event weight of the company's sector
commodity = max over commodities of |event weight * sensitivity|
exposure  = 1 - (1 - 0.6 geo) (1 - 0.8 sector) (1 - 0.7 commodity)
impact    = severity * exposure
sentiment = the event's direction; where commodity is the largest of the three, the sign of (price direction *
            sensitivity) times |direction|
"""

from collections.abc import Mapping
from dataclasses import dataclass

GEO_WEIGHT = 0.6
SECTOR_WEIGHT = 0.8
COMMODITY_WEIGHT = 0.7
SEVERITY = {"low": 0.25, "moderate": 0.5, "high": 0.75, "critical": 1.0}


@dataclass(frozen=True)
class CommodityMove:
    """How much an event concerns a commodity, in [0, 1], and where its price goes, +1 or -1."""

    weight: float
    price_direction: int


@dataclass(frozen=True)
class EventReach:
    """What an event touches, and how: weights in [0, 1] by region, sector and commodity; direction in [-1, 1]."""

    severity: str
    direction: float
    regions: Mapping[str, float]
    sectors: Mapping[str, float]
    commodities: Mapping[str, CommodityMove]


@dataclass(frozen=True)
class CompanyExposure:
    """A company's sector, revenue share by region (sums to at most 1) and sensitivity to commodities in [-1, 1]."""

    sector: str
    revenue_by_region: Mapping[str, float]
    commodity_sensitivity: Mapping[str, float]


@dataclass(frozen=True)
class MacroImpact:
    """The three factors in [0, 1], exposure and impact in [0, 1], sentiment in [-1, 1]."""

    geo: float
    sector: float
    commodity: float
    exposure: float
    impact: float
    sentiment: float


def macro_impact(event: EventReach, company: CompanyExposure) -> MacroImpact:
    """The event's impact on the company, by the formulas above; KeyError for a severity that does not exist."""
    geo = min(1.0, sum(event.regions.get(name, 0.0) * share for name, share in company.revenue_by_region.items()))
    sector = event.sectors.get(company.sector, 0.0)
    commodity, pull = _commodity(event, company)
    exposure = 1 - (1 - GEO_WEIGHT * geo) * (1 - SECTOR_WEIGHT * sector) * (1 - COMMODITY_WEIGHT * commodity)
    sentiment = pull * abs(event.direction) if commodity > max(geo, sector) else event.direction
    return MacroImpact(geo, sector, commodity, exposure, SEVERITY[event.severity] * exposure, sentiment)


def _commodity(event: EventReach, company: CompanyExposure) -> tuple[float, float]:
    """The largest |weight * sensitivity| and the sign in which it pulls; of equal ones the first by name."""
    largest, pull = 0.0, 0.0
    for name in sorted(event.commodities):
        move = event.commodities[name]
        pressed = move.weight * company.commodity_sensitivity.get(name, 0.0)
        if abs(pressed) > largest:
            largest = abs(pressed)
            pull = 1.0 if pressed * move.price_direction > 0 else -1.0
    return min(1.0, largest), pull
