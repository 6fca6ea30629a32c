"""The numbers and names inside a story, drawn once per event, so that filing, report and copies agree on them."""

import random
from dataclasses import dataclass
from datetime import timedelta

from stonks_sandbox.world.synthetic.events import Event
from stonks_sandbox.world.synthetic.universe import Profile, profiles, sector_words

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
BROKERS = (
    "Alder & Finch Securities",
    "Kestrel Ridge Research",
    "Moorgate Partners",
    "Bluefield Analytics",
    "Tamarind Capital",
)
ANALYSTS = ("Wren Castell", "Idris Halvorsen", "Marta Quill", "Jonah Bexfield", "Soraya Lund", "Ptolemy Greer")
NEWCOMERS = ("Vivienne Okoro", "Katarina Ellsworth", "Naomi Strand", "Beatrix Falconer", "Rosamund Achterberg")
SUITORS = ("Castellan Group", "Orrery Industries", "Blackthorn Holdings", "Meridian Capital Partners", "Amberline")
PARTNERS = {
    "Information Technology": ("Cascadia Cloud Services", "the state of Arcadia", "Norrland Telecom"),
    "Health Care": ("Riverbend Hospitals", "the Unified Health Trust", "Clearwater Clinics"),
    "Financials": ("Summit Savings", "the Teachers Pension Board", "Lakeland Credit Union"),
    "Energy": ("Continental Airways", "Midland Power Authority", "the Port of Esperance"),
    "Industrials": ("Continental Airways", "the Transit Authority of Arcadia", "Union Parcel"),
    "Consumer Discretionary": ("Grand Plaza Stores", "Metro Fleet Services", "Horizon Loyalty"),
    "Consumer Staples": ("Valuemart", "Corner House Restaurants", "the School Meals Board"),
    "Materials": ("Summit Builders", "Continental Battery Works", "the Arcadia Bridge Authority"),
}


@dataclass(frozen=True)
class Results:
    """The figures of a quarter in millions of dollars (shares: earnings per share in dollars)."""

    revenue: float
    revenue_before: float
    gross: float
    gross_before: float
    net: float
    net_before: float
    eps: float
    eps_before: float


def money(millions: float) -> str:
    """`2.15 billion` or `340 million`; the dollar sign stands in the templates."""
    return f"{millions / 1000:.2f} billion" if millions >= 1000 else f"{millions:.0f} million"


class Facts:
    """The placeholders of every template for one event, as text; `results` for tables of figures."""

    def __init__(self, seed: int, event: Event, subject: Profile | None = None) -> None:
        self.event = event
        self.random = random.Random(f"{seed}/{event.event_id}")
        self.words: dict[str, str] = {"weekday": WEEKDAYS[event.at.weekday()]}
        self.results: Results | None = None
        pick = self.random
        self.words |= {
            "percent": str(pick.randint(8, 34)),
            "small": f"{pick.uniform(1.2, 6.5):.1f}",
            "number": str(pick.randint(2, 9)),
            "years": str(pick.choice((2, 3, 4, 5, 7))),
            "broker": pick.choice(BROKERS),
            "analyst": pick.choice(ANALYSTS),
            "newcomer": pick.choice(NEWCOMERS),
        }
        if event.company is not None:
            self._company(subject or profiles()[event.company])

    def _company(self, profile: Profile) -> None:
        pick, words = self.random, sector_words(profile.sector)
        mishap = pick.choice(words["mishaps"])
        customers, regulator = pick.choice(words["customers"]), pick.choice(words["regulators"])
        rival = profiles()[pick.choice(profile.rivals)]
        self.words |= {
            "name": profile.name,
            "short": profile.short,
            "ticker": profile.ticker,
            "venue": profile.venue,
            "city": profile.city,
            "chief": profile.chief,
            "finance_chief": profile.finance_chief,
            "product": pick.choice(profile.products),
            "customers": customers,
            "customers_c": customers[0].upper() + customers[1:],
            "goods": pick.choice(words["goods"]),
            "unit": pick.choice(words["units"]),
            "regulator": regulator,
            "regulator_c": regulator[0].upper() + regulator[1:],
            "mishap": mishap,
            "mishap_c": mishap[0].upper() + mishap[1:],
            "mishap_n": mishap.removeprefix("an ").removeprefix("a "),
            "suitor": pick.choice(SUITORS),
            "target": pick.choice(PARTNERS[profile.sector]),
            "rival": rival.short,
            "sector_l": profile.sector.lower(),
            "blurb": profile.company.description.removeprefix(profile.name).split(" Revenue by region")[0].strip(),
        }
        self._figures(profile)

    def _figures(self, profile: Profile) -> None:
        pick, sign = self.random, self.event.claimed
        growth = pick.uniform(3.0, 16.0)
        revenue = profile.revenue * pick.uniform(0.9, 1.15)
        before = revenue / (1 + sign * growth / 100)
        margin = pick.uniform(24.0, 46.0)
        margin_up = margin + pick.uniform(0.8, 3.2)
        net = revenue * pick.uniform(0.07, 0.14)
        eps = max(0.06, round(net / profile.shares, 2))
        low = max(0.03, round(eps * pick.uniform(0.80, 0.93), 2), eps - 0.6)
        low = min(low, eps - 0.02)
        guide = revenue * 4 * pick.uniform(0.96, 1.02)
        quarter = (self.event.at - timedelta(days=25)).month
        price = profile.base_price * pick.uniform(0.85, 1.15)
        self.words |= {
            "growth": f"{growth:.1f}",
            "revenue": money(revenue),
            "margin": f"{margin:.1f}",
            "margin_up": f"{margin_up:.1f}",
            "eps": f"{eps:.2f}",
            "eps_low": f"{low:.2f}",
            "cash": money(revenue * pick.uniform(0.08, 0.18)),
            "guide": money(guide),
            "guide_high": money(guide * pick.uniform(1.04, 1.09)),
            "deal": money(max(40.0, profile.revenue * pick.uniform(0.12, 0.9))),
            "small_money": money(max(4.0, profile.revenue * pick.uniform(0.01, 0.06))),
            "price": f"{price:.0f}",
            "target_high": f"{price * pick.uniform(1.15, 1.4):.0f}",
            "target_low": f"{price * pick.uniform(0.6, 0.85):.0f}",
            "quarter": ("first", "second", "third", "fourth")[(quarter - 1) // 3] + " quarter",
        }
        better, worse = (margin_up, margin) if sign > 0 else (margin, margin_up)
        own = eps if sign > 0 else low
        eps_before = max(0.01, round(own / (1 + sign * growth / 60), 2))
        self.results = Results(
            revenue=revenue,
            revenue_before=before,
            gross=revenue * better / 100,
            gross_before=before * worse / 100,
            net=own * profile.shares,
            net_before=eps_before * profile.shares,
            eps=own,
            eps_before=eps_before,
        )
