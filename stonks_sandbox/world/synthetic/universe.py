"""The companies of the synthetic market: who they are, what moves them, against whom they compete.

`roster.json` holds the table; here it gets its meaning. Every name and ticker is invented. Several tickers are
English words (HARK, MEND, OWED, WELD, ROVE, SIPS, FUME, GLEE): whoever counts them as mentions without more
evidence falls into the trap. Prices, events and prose are elsewhere.
"""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from stonks_sandbox.world.protocol import Company

ROSTER = Path(__file__).with_name("roster.json")


@dataclass(frozen=True)
class Profile:
    """A company with what only the sandbox knows: its price process and its true exposures.

    `volume` is in shares a day, `revenue` in millions of dollars a quarter, `shares` in millions, `sigma` the
    idiosyncratic daily volatility in calm times; `regions` are revenue shares that sum to 1, `commodities`
    sensitivities in [-1, 1]; `rivals` and `allies` are indices of other profiles.
    """

    index: int
    company: Company
    short: str
    base_price: float
    volume: float
    beta: float
    sigma: float
    revenue: float
    shares: float
    regions: dict[str, float]
    commodities: dict[str, float]
    rivals: tuple[int, ...]
    allies: tuple[int, ...]
    chief: str
    finance_chief: str
    city: str
    state: str
    products: tuple[str, ...]

    @property
    def ticker(self) -> str:
        """The company's ticker."""
        return self.company.ticker

    @property
    def name(self) -> str:
        """The company's legal name."""
        return self.company.name

    @property
    def sector(self) -> str:
        """The company's GICS sector."""
        return self.company.sector

    @property
    def venue(self) -> str:
        """The exchange as newspapers write it."""
        return "NYSE" if self.company.exchange == "XNYS" else "NASDAQ"


def _describe(row: dict[str, Any]) -> str:
    places = ", ".join(
        f"{round(share * 100)}% in {region.replace('_', ' ').title()}"
        for region, share in sorted(row["regions"].items(), key=lambda item: -item[1])
    )
    text = f"{row['name']} {row['blurb']} Revenue by region: {places}."
    costs = [key.replace("_", " ") for key, value in row["commodities"].items() if value < 0]
    gains = [key.replace("_", " ") for key, value in row["commodities"].items() if value > 0]
    if costs:
        text += f" Higher prices of {' and '.join(costs)} raise its costs."
    if gains:
        text += f" Higher prices of {' and '.join(gains)} raise its income."
    return text


def _company(row: dict[str, Any]) -> Company:
    return Company(
        ticker=row["ticker"],
        name=row["name"],
        cik=row["cik"],
        exchange=row["exchange"],
        sic_code=row["sic_code"],
        sic_description=row["sic_description"],
        sector=row["sector"],
        description=_describe(row),
        peers=(*row["rivals"], *row["allies"]),
        aliases=tuple(row["aliases"]),
    )


@cache
def _table() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(ROSTER.read_text(encoding="utf-8"))
    return loaded


@cache
def profiles() -> tuple[Profile, ...]:
    """All companies by ticker; the order is part of the world's definition, because random draws follow it."""
    rows = sorted(_table()["companies"], key=lambda row: str(row["ticker"]))
    position = {row["ticker"]: index for index, row in enumerate(rows)}
    return tuple(
        Profile(
            index=index,
            company=_company(row),
            short=row["aliases"][0],
            base_price=row["price"],
            volume=row["volume"] * 1e6,
            beta=row["beta"],
            sigma=row["sigma"],
            revenue=row["revenue"],
            shares=row["shares"],
            regions=row["regions"],
            commodities=row["commodities"],
            rivals=tuple(position[ticker] for ticker in row["rivals"]),
            allies=tuple(position[ticker] for ticker in row["allies"]),
            chief=row["chief"],
            finance_chief=row["finance_chief"],
            city=row["city"],
            state=row["state"],
            products=tuple(row["products"]),
        )
        for index, row in enumerate(rows)
    )


@cache
def by_ticker() -> dict[str, Profile]:
    """Profiles by ticker."""
    return {profile.ticker: profile for profile in profiles()}


def sector_words(sector: str) -> dict[str, list[str]]:
    """The nouns a journalist uses for a sector: `customers`, `goods`, `units`, `regulators`, `mishaps`."""
    words: dict[str, list[str]] = _table()["lexicon"][sector]
    return words
