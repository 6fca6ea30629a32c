"""The catalogue of events that hit many companies at once, and how hard each company is hit.

`macro.json` holds the catalogue with its prose; the true effect follows from the companies' exposures here.
"""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from stonks_sandbox.world.synthetic.universe import Profile

CATALOGUE = Path(__file__).with_name("macro.json")
SEVERITY = {"low": 0.25, "moderate": 0.5, "high": 0.75, "critical": 1.0}
SCALE = 0.035
"""Log effect of a critical event on a fully exposed company."""


@dataclass(frozen=True)
class MacroTheme:
    """One kind of event: signed weights of sectors and regions, price moves of commodities, and its prose."""

    key: str
    severity: str
    sectors: dict[str, float]
    regions: dict[str, float]
    commodities: dict[str, float]
    keywords: tuple[str, ...]
    titles: tuple[str, ...]
    paragraphs: tuple[tuple[str, ...], ...]


@cache
def themes() -> tuple[MacroTheme, ...]:
    """The catalogue in its written order, which random draws follow."""
    rows = json.loads(CATALOGUE.read_text(encoding="utf-8"))
    return tuple(
        MacroTheme(
            key=row["key"],
            severity=row["severity"],
            sectors=row["sectors"],
            regions=row["regions"],
            commodities=row["commodities"],
            keywords=tuple(row["keywords"]),
            titles=tuple(row["titles"]),
            paragraphs=tuple(tuple(variants) for variants in row["paragraphs"]),
        )
        for row in rows
    )


def exposure(theme: MacroTheme, profile: Profile) -> float:
    """Signed exposure of a company to a theme, in [-1, 1]: regions, sector and commodities added and clipped."""
    geo = sum(weight * profile.regions.get(region, 0.0) for region, weight in theme.regions.items())
    sector = theme.sectors.get(profile.sector, 0.0)
    goods = sum(weight * profile.commodities.get(name, 0.0) for name, weight in theme.commodities.items())
    return max(-1.0, min(1.0, 0.6 * geo + 0.8 * sector + 0.7 * goods))


def effect(theme: MacroTheme, profile: Profile) -> float:
    """The true log effect of the theme on a company."""
    return SCALE * SEVERITY[theme.severity] * exposure(theme, profile)
