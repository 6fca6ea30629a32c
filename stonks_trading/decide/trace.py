"""What a decision was made from, as text, for its trace: everything a person needs to work the size out again."""

from decimal import Decimal

from stonks_trading.decide import candidates, exposure
from stonks_trading.records import EngineState, MarketView, Portfolio, Quote, Recommendation


def said(r: Recommendation) -> dict[str, str]:
    """What the recommendation says."""
    return {
        "window": r.window.value,
        "action": r.action.value,
        "mode": r.mode.value,
        "strength": str(r.strength),
        "confidence": str(r.confidence),
        "voice": str(candidates.voice(r)),
        "expires_at": r.expires_at.isoformat(),
    }


def facts(r: Recommendation, portfolio: Portfolio, state: EngineState) -> dict[str, str]:
    """What the recommendation says, and what the account stood at."""
    return said(r) | {
        "tier": state.tier.value,
        "cash": str(portfolio.cash),
        "reserve": str(portfolio.reserve),
        "equity": str(portfolio.equity),
        "active_pool": str(portfolio.active_pool),
        "committed": str(portfolio.committed),
        "held_or_coming": str(exposure.committed_to(portfolio, r.ticker)),
    }


def quoted(quote: Quote | None, typical_volume: Decimal | None) -> dict[str, str]:
    """What the market showed, the feed with it, whatever the decision: the conservative profit is reckoned from it too."""
    known = {} if typical_volume is None else {"typical_volume": str(typical_volume)}
    if quote is None:
        return known
    return known | {
        "bid": str(quote.bid),
        "ask": str(quote.ask),
        "last": str(quote.last),
        "quote_at": quote.at.isoformat(),
        "last_at": quote.last_at.isoformat() if quote.last_at else "",
        "feed": quote.feed,
    }


def seen(view: MarketView, price: Decimal) -> dict[str, str]:
    """What a size was reckoned from."""
    return {
        "price": str(price),
        "atr": str(view.atr),
        "sector": view.sector,
        "mean_correlation": str(view.mean_correlation),
        "volatility": str(view.volatility),
    }
