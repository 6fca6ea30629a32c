"""The closed vocabularies of the domain. Plain words only; no rule lives here."""

from enum import StrEnum
from typing import Literal


class Catalyst(StrEnum):
    """What kind of news moved a company."""

    EARNINGS_BEAT = "earnings_beat"
    EARNINGS_MISS = "earnings_miss"
    GUIDANCE_RAISE = "guidance_raise"
    GUIDANCE_CUT = "guidance_cut"
    MERGER_ACQUISITION = "merger_acquisition"
    PRODUCT_LAUNCH = "product_launch"
    REGULATORY = "regulatory"
    LITIGATION = "litigation"
    MANAGEMENT_CHANGE = "management_change"
    CAPITAL_RETURN = "capital_return"
    CAPITAL_RAISE = "capital_raise"
    INSIDER_TRADE = "insider_trade"
    ANALYST_RATING = "analyst_rating"
    CONTRACT_WIN = "contract_win"
    CONTRACT_LOSS = "contract_loss"
    OPERATIONAL_INCIDENT = "operational_incident"
    MACRO = "macro"
    OTHER = "other"


MAJOR_DECISIONS = frozenset(
    {
        Catalyst.MERGER_ACQUISITION,
        Catalyst.MANAGEMENT_CHANGE,
        Catalyst.GUIDANCE_RAISE,
        Catalyst.GUIDANCE_CUT,
        Catalyst.REGULATORY,
        Catalyst.CAPITAL_RAISE,
    }
)


class SourceType(StrEnum):
    """Where raw payloads come from; one raw asset and one pool for each."""

    MARKET_API = "market_api"
    NEWS_API = "news_api"
    FILINGS_API = "filings_api"
    WEB_SCRAPE = "web_scrape"
    BROKER = "broker"
    MACRO_NEWS = "macro_news"


class DocumentType(StrEnum):
    """What a document is; `macro_event` documents go to the event classifier instead of the extractor."""

    NEWS = "news"
    FILING = "filing"
    WEB = "web"
    MACRO_EVENT = "macro_event"


class Layer(StrEnum):
    """The three signal layers."""

    COMPANY = "company"
    MACRO = "macro"
    COMPETITIVE = "competitive"


class Window(StrEnum):
    """The five trend windows."""

    INTRADAY = "intraday"
    DAY = "1d"
    WEEK = "7d"
    MONTH = "30d"
    QUARTER = "90d"


class Direction(StrEnum):
    """Where a trend points."""

    BULLISH = "bullish"
    BEARISH = "bearish"
    MIXED = "mixed"
    NEUTRAL = "neutral"


class Action(StrEnum):
    """What a recommendation says."""

    BUY = "buy"
    SELL = "sell"
    HOLD = "hold"
    WATCH = "watch"


class Mode(StrEnum):
    """How far a recommendation may go, least first."""

    INFORMATIONAL = "informational"
    PAPER_ELIGIBLE = "paper_eligible"
    LIVE_ELIGIBLE = "live_eligible"


class RiskClass(StrEnum):
    """Risk class of a recommendation."""

    LOW = "low"
    MODERATE = "moderate"
    HIGH = "high"


class RiskTier(StrEnum):
    """Risk tier of the trading engine, most careful first."""

    CONSERVATIVE = "conservative"
    MODERATE = "moderate"
    AGGRESSIVE = "aggressive"


class Relationship(StrEnum):
    """How two companies stand to each other."""

    DIRECT_COMPETITOR = "direct_competitor"
    SUBSTITUTE = "substitute"
    SECTOR_PEER = "sector_peer"
    SUPPLIER = "supplier"
    CUSTOMER = "customer"
    PARTNER = "partner"


Horizon = Literal["intraday", "days", "weeks", "months"]
Severity = Literal["low", "moderate", "high", "critical"]
Duration = Literal["short", "medium", "long"]

SECTORS = (
    "Communication Services",
    "Consumer Discretionary",
    "Consumer Staples",
    "Energy",
    "Financials",
    "Health Care",
    "Industrials",
    "Information Technology",
    "Materials",
    "Real Estate",
    "Utilities",
)
REGIONS = ("north_america", "europe", "china", "asia_pacific", "latin_america", "middle_east_africa")
COMMODITIES = ("oil", "natural_gas", "gold", "copper", "steel", "wheat", "lithium", "electricity")
