"""The thesis: why, in plain words, built from the evidence alone. The same input gives the same words.

Every number, name and quote in it stands in what it was built from, so that a rewrite can be held against it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from stonks_core.vocabulary import Action, Catalyst, Direction, Layer, Window

SUPPORT_QUOTED, AGAINST_QUOTED = 2, 1
LONGEST_QUOTE = 280

_PERIODS = {
    Window.INTRADAY: "since the last close",
    Window.DAY: "of the last day",
    Window.WEEK: "of the last 7 days",
    Window.MONTH: "of the last 30 days",
    Window.QUARTER: "of the last 90 days",
}
_OVER = {
    Window.INTRADAY: "since the last close",
    Window.DAY: "over the last day",
    Window.WEEK: "over the last 7 days",
    Window.MONTH: "over the last 30 days",
    Window.QUARTER: "over the last 90 days",
}
_ABOUT = {
    Layer.COMPANY: "reports about the company itself",
    Layer.MACRO: "events in the wider economy",
    Layer.COMPETITIVE: "news about its competitors and partners",
}
PROJECTIONS = "projections"
_LACKING = {
    **{str(layer): words for layer, words in _ABOUT.items()},
    "market": "prices",
    PROJECTIONS: "where the trend is heading",
}
_DRIVERS: Mapping[str, str] = {
    Catalyst.EARNINGS_BEAT: "earnings above expectations",
    Catalyst.EARNINGS_MISS: "earnings below expectations",
    Catalyst.GUIDANCE_RAISE: "raised guidance",
    Catalyst.GUIDANCE_CUT: "lowered guidance",
    Catalyst.MERGER_ACQUISITION: "a merger or takeover",
    Catalyst.PRODUCT_LAUNCH: "a product launch",
    Catalyst.REGULATORY: "a regulator's decision",
    Catalyst.LITIGATION: "a lawsuit",
    Catalyst.MANAGEMENT_CHANGE: "a change of management",
    Catalyst.CAPITAL_RETURN: "money paid back to shareholders",
    Catalyst.CAPITAL_RAISE: "newly raised capital",
    Catalyst.INSIDER_TRADE: "an insider's trade",
    Catalyst.ANALYST_RATING: "an analyst's rating",
    Catalyst.CONTRACT_WIN: "a contract won",
    Catalyst.CONTRACT_LOSS: "a contract lost",
    Catalyst.OPERATIONAL_INCIDENT: "an operational incident",
    Catalyst.MACRO: "an event in the wider economy",
}
DISAGREEMENT = 0.05
"""The least contradiction that is worth a sentence."""
_SUPPRESSED = {
    "macro_only": "All of it comes from events in the wider economy, so this is for information only.",
    "pattern_only": "All of it comes from news about other companies, so this is for information only.",
    "macro_and_pattern_only": (
        "None of it is about the company itself, only about the wider economy and other companies, so this is for "
        "information only."
    ),
    "no_company_evidence": "None of it is about the company itself, so this is for information only.",
}


@dataclass(frozen=True)
class Quoted:
    """A sentence of the evidence: who published it and when, what it says, of which other company, if any, and the driver."""

    quote: str
    publisher: str
    published: date
    supporting: bool
    about: str = ""
    catalyst: str = Catalyst.OTHER


@dataclass(frozen=True)
class Subject:
    """What a thesis is about: the verdict, the trend's figures and the market around it.

    `lacking` names what could not be read (layers, `market`, `projections`); `unseen` is how many of the signals that
    the trend rests on most cannot be shown.
    """

    ticker: str
    name: str
    window: Window
    action: Action
    direction: Direction
    score: float
    confidence: float
    contradiction: float
    reports: int
    shares: dict[Layer, float]
    suppression: str
    objected: bool
    window_return: float | None = None
    volume_ratio: float | None = None
    volatility: float | None = None
    reference_price: float | None = None
    lacking: tuple[str, ...] = ()
    unseen: int = 0


def thesis(subject: Subject, evidence: Sequence[Quoted]) -> str:
    """A few sentences that say what to do, what speaks for and against it, and what the price did meanwhile.

    `evidence` is in the order of its rank. Sentences stand on one line each.
    """
    supporting = [q for q in evidence if q.supporting][:SUPPORT_QUOTED]
    against = [q for q in evidence if not q.supporting][:AGAINST_QUOTED]
    lines = [
        _opening(subject),
        _support(subject, supporting),
        _against(subject, against),
        _sources(subject),
        _SUPPRESSED.get(subject.suppression, ""),
        _market(subject),
        _confidence(subject),
        _lacking(subject),
    ]
    return "\n".join(line for line in lines if line)


def _opening(subject: Subject) -> str:
    who = subject.name if subject.name == subject.ticker else f"{subject.name} ({subject.ticker})"
    number = "one independent report" if subject.reports == 1 else f"{subject.reports} independent reports"
    news = f"the news {_PERIODS[subject.window]}, {number},"
    leaning = {
        Direction.BULLISH: "speaks for the shares",
        Direction.BEARISH: "speaks against the shares",
        Direction.MIXED: "disagrees about the shares",
        Direction.NEUTRAL: "gives no clear lead",
    }[subject.direction]
    verb = {
        Action.BUY: f"Buy {who}",
        Action.SELL: f"Sell {who}",
        Action.WATCH: f"Watch {who}",
        Action.HOLD: f"Hold {who}",
    }[subject.action]
    return f"{verb}: {news} {leaning} (score {subject.score:+.2f} on a scale from -1 to 1)."


def _support(subject: Subject, quotes: Sequence[Quoted]) -> str:
    if not quotes:
        return ""
    decided = subject.direction in {Direction.BULLISH, Direction.BEARISH}
    lead = "The strongest reason" if decided else "What weighs most"
    driver = _DRIVERS.get(quotes[0].catalyst, "")
    words = [f"{lead}{f', {driver}' if driver else ''}: {_cited(quotes[0])}."]
    words += [f"Also: {_cited(quote)}." for quote in quotes[1:]]
    return " ".join(words)


def _against(subject: Subject, quotes: Sequence[Quoted]) -> str:
    if quotes:
        driver = _DRIVERS.get(quotes[0].catalyst, "")
        return f"Against it{f', {driver}' if driver else ''}: {_cited(quotes[0])}."
    if subject.contradiction == 0:
        return "" if subject.unseen else "Nothing in the evidence speaks against it."
    return "Only reports of little weight speak against it." if not subject.unseen else ""


def _cited(quoted: Quoted) -> str:
    words = " ".join(quoted.quote.split())
    if len(words) > LONGEST_QUOTE:
        words = words[:LONGEST_QUOTE].rsplit(" ", 1)[0] + " ..."
    words = words.rstrip(".") if not words.endswith("...") else words
    day = f"{quoted.published.day} {quoted.published:%B %Y}"
    about = f", about {quoted.about}" if quoted.about else ""
    quote = f"\N{LEFT DOUBLE QUOTATION MARK}{words}\N{RIGHT DOUBLE QUOTATION MARK}"
    return f"{quote} ({quoted.publisher}, {day}{about})"


def _sources(subject: Subject) -> str:
    parts = sorted(((share, layer) for layer, share in subject.shares.items() if share > 0), reverse=True)
    if subject.suppression or not parts:
        return ""
    if len(parts) == 1:
        return f"All of this comes from {_ABOUT[parts[0][1]]}."
    described = [f"{_part(share)} from {_ABOUT[layer]}" for share, layer in parts]
    return f"By weight, {', '.join(described[:-1])} and {described[-1]}."


def _part(share: float) -> str:
    """A share of less than the whole, never rounded to nothing or to all."""
    if share < 0.005:
        return "under 1%"
    return "over 99%" if share > 0.995 else f"{share:.0%}"


def _market(subject: Subject) -> str:
    if subject.reference_price is None:
        return "No price of the shares is known yet."
    words = f"The last known price is ${subject.reference_price:,.2f}"
    if subject.window_return is not None:
        change = subject.window_return
        moved = "unchanged" if abs(change) < 0.0005 else f"{'up' if change > 0 else 'down'} {abs(change):.1%}"
        words += f", {moved} {_OVER[subject.window]}"
    if subject.volume_ratio is not None:
        words += f"; volume in the last session was {subject.volume_ratio:.1f} times its 20-day mean"
    if subject.volatility is not None:
        words += f"; the shares swing by {subject.volatility:.0%} a year"
    return words + "."


def _confidence(subject: Subject) -> str:
    words = f"Confidence is {subject.confidence:.0%}"
    if subject.objected:
        words += ", lowered by a fifth because the trend is turning the other way"
    if subject.contradiction >= DISAGREEMENT:
        words += f"; the reports disagree by {subject.contradiction:.0%}, where 100% is evenly split"
    return words + "."


def _lacking(subject: Subject) -> str:
    """What a reader must know is missing."""
    words = []
    if subject.lacking:
        named = [_LACKING.get(name, name) for name in subject.lacking]
        listed = " and ".join(filter(None, [", ".join(named[:-1]), named[-1]]))
        words.append(f"Part of the picture is missing: at the time {listed} could not be read in full.")
    if subject.unseen:
        signals = "one of the signals" if subject.unseen == 1 else f"{subject.unseen} of the signals"
        words.append(f"The words behind {signals} that it rests on cannot be shown.")
    return " ".join(words)
