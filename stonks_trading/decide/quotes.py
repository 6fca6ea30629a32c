"""Whether a quote is good enough to open a position on, and which price sizing reckons with.

Exits never ask: a stale or crossed quote closes the door to entries only.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Literal

from stonks_trading.decide.rules import QuoteRules
from stonks_trading.records import Quote, Side

QuoteFault = Literal["no_quote", "one_sided_quote", "crossed_quote", "stale_quote", "future_quote", "wide_quote"]


@dataclass(frozen=True)
class UsableQuote:
    """A two-sided, fresh, sane quote; `mid` and `spread` (of the mid) are derived."""

    quote: Quote
    bid: Decimal
    ask: Decimal

    @property
    def mid(self) -> Decimal:
        """Middle of bid and ask, dollars."""
        return (self.bid + self.ask) / 2

    @property
    def spread(self) -> Decimal:
        """(ask - bid) / mid."""
        return (self.ask - self.bid) / self.mid

    def far_side(self, side: Side) -> Decimal:
        """The price that an order meets: the ask for a buy, the bid for a sell."""
        return self.ask if side == "buy" else self.bid


@dataclass(frozen=True)
class UnusableQuote:
    """Why a quote must not be used; the sentence names the figures."""

    fault: QuoteFault
    sentence: str


def judge_quote(ticker: str, quote: Quote | None, as_of: datetime, rules: QuoteRules) -> UsableQuote | UnusableQuote:
    """The quote, or what is wrong with it: missing, one-sided, crossed, stale, from the future, or too wide."""
    if quote is None:
        return UnusableQuote("no_quote", f"There is no quote for {ticker}.")
    bid, ask = quote.bid, quote.ask
    if bid is None or ask is None or bid <= 0 or ask <= 0:
        return UnusableQuote(
            "one_sided_quote", f"The quote for {ticker} is one-sided: bid {_said(bid)}, ask {_said(ask)}."
        )
    if bid > ask:
        return UnusableQuote("crossed_quote", f"The quote for {ticker} is crossed: bid ${bid} is above ask ${ask}.")
    usable = UsableQuote(quote, bid, ask)
    if usable.spread > rules.max_spread:
        return UnusableQuote(
            "wide_quote",
            f"The spread of {ticker} is {usable.spread:.1%} (${bid} to ${ask}); at most "
            f"{rules.max_spread:.1%} is allowed.",
        )
    return _mistimed(ticker, as_of - quote.at, rules) or usable


def _mistimed(ticker: str, age: timedelta, rules: QuoteRules) -> UnusableQuote | None:
    if age > rules.max_age:
        return UnusableQuote(
            "stale_quote",
            f"The quote for {ticker} is {age.total_seconds():.0f} s old; at most "
            f"{rules.max_age.total_seconds():.0f} s are allowed.",
        )
    if -age > rules.clock_tolerance:
        return UnusableQuote(
            "future_quote",
            f"The quote for {ticker} is dated {-age.total_seconds():.0f} s after the decision; "
            "compare this machine's clock with the vendor's.",
        )
    return None


def _said(price: Decimal | None) -> str:
    return "missing" if price is None or price <= 0 else f"${price}"
