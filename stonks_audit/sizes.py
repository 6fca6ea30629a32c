"""What a recommendation was sized at, and what another one in its place would have been.

Where the engine sized it, its decision's trace holds all that the size rests on, and the size is worked out again from
that. Where it did not, the portfolio as it stands now is asked; the answer says which.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from stonks_core.money import dollars_down
from stonks_core.registry.universe import load_universe
from stonks_core.settings import Settings
from stonks_core.stores.lake.lake import Lake
from stonks_core.stores.postgres import Connection, Database
from stonks_core.vocabulary import Action, RiskTier
from stonks_core.why.recommendation import decisions_on
from stonks_trading import control, market, portfolio
from stonks_trading.decide import candidates, exposure
from stonks_trading.decide.rules import LEAST_ORDER, TradingRules
from stonks_trading.decide.sizing import size_again, size_entry
from stonks_trading.decide.tiers import TierLimits
from stonks_trading.inputs import DailyBars
from stonks_trading.records import Recommendation

BY_DECISION, BY_PORTFOLIO, BY_NOBODY = "decision", "portfolio of today", "nobody"
ZERO = Decimal(0)


@dataclass(frozen=True)
class Size:
    """Dollars to buy, or shares to sell; neither where nothing would have been ordered. The sentence says why."""

    sentence: str
    dollars: Decimal | None = None
    shares: Decimal | None = None


@dataclass(frozen=True)
class Sizes:
    """Both sizes and what they rest on: the engine's decision by its id, today's portfolio by its account, or nothing."""

    basis: str
    name: str
    before: Size
    after: Size


def sizes(
    database: Database,
    lake: Lake,
    settings: Settings,
    before: Recommendation,
    after: Recommendation | None,
    now: datetime,
) -> Sizes:
    """The sizes of a recommendation and of what would have stood in its place (None: nothing); `now` is the present."""
    rules = TradingRules.from_settings(settings.trading, settings.broker.mode)
    traced = _sized(decisions_on(database, before.recommendation_id))
    if traced is not None:
        book = _Traced(traced["trace"], rules)
        return Sizes(BY_DECISION, traced["decision_id"], book.recorded(), book.size(after))
    with database.connection() as connection:
        account = connection.execute(
            "SELECT account_id FROM broker_accounts ORDER BY synced_at DESC, account_id LIMIT 1"
        ).fetchone()
        if account is None:
            nothing = Size("No account is known yet, so nothing can be sized.")
            return Sizes(BY_NOBODY, "", nothing, nothing)
        present = _Present(connection, lake, settings, rules, account["account_id"], now, database)
        return Sizes(BY_PORTFOLIO, account["account_id"], present.size(before), present.size(after))


def _sized(decisions: list[dict[str, Any]]) -> dict[str, Any] | None:
    """The first decision whose trace holds what a size rests on: clamps of a buy, or the shares of a sell."""
    for decision in decisions:
        trace = decision["trace"]
        if trace.get("clamps") or (trace.get("order") or {}).get("side") == "sell":
            return decision
    return None


def _silenced(recommendation: Recommendation | None, limits: TierLimits, rules: TradingRules) -> str:
    """Why a recommendation may not speak for its ticker by itself; empty where it may."""
    if recommendation is None:
        return "There would have been no trend, and so no recommendation."
    chosen = candidates.choose(
        [recommendation],
        recommendation.as_of,
        broker_mode=rules.broker_mode,
        min_confidence=limits.min_confidence,
    )
    return chosen.silenced[0].sentence if chosen.silenced else ""


class _Traced:
    """Sizes by what a decision's trace holds."""

    def __init__(self, trace: Mapping[str, Any], rules: TradingRules) -> None:
        self._trace, self._inputs, self._rules = trace, trace["inputs"], rules
        self._limits = rules.tiers[RiskTier(self._inputs["tier"])]

    def recorded(self) -> Size:
        """As it was decided; of a gradual entry the whole that was still to go."""
        order = self._trace.get("order") or {}
        if order.get("side") == "sell":
            return Size("Sold all that was held and free.", shares=Decimal(order["quantity"]))
        if "size" in self._inputs:
            return Size("Sized by the decision.", dollars=Decimal(self._inputs["size"]))
        return Size(f"Nothing: the limits left ${Decimal(self._trace['clamps'][-1]['after'])}.")

    def size(self, recommendation: Recommendation | None) -> Size:
        """As it would have been decided with the same portfolio, market and tier."""
        why_not = _silenced(recommendation, self._limits, self._rules)
        if recommendation is None or why_not:
            return Size(why_not)
        if recommendation.action is Action.SELL:
            return self._sale()
        if not self._trace.get("clamps"):
            return Size("A buy in place of the sale; the decision recorded nothing that it could be sized by.")
        dollars = size_again(recommendation.confidence, self._inputs, self._trace["clamps"], self._limits)
        if dollars < LEAST_ORDER:
            return Size(f"Nothing: the limits leave ${dollars}, and the least order is ${LEAST_ORDER}.")
        return Size(
            f"Sized again for confidence {recommendation.confidence:.4f}, all else as decided.", dollars=dollars
        )

    def _sale(self) -> Size:
        held = Decimal((self._trace.get("order") or {}).get("quantity") or 0)
        if "held" in self._inputs and held:
            return Size("Sells all that was held and free.", shares=held)
        dollars = Decimal(self._inputs.get("held_or_coming", "0"))
        return Size(f"A sale of what was held or being bought (${dollars_down(dollars)}); nothing is sold short.")


class _Present:
    """Sizes by the portfolio as it stands now."""

    def __init__(
        self,
        connection: Connection,
        lake: Lake,
        settings: Settings,
        rules: TradingRules,
        account_id: str,
        now: datetime,
        database: Database,
    ) -> None:
        self._rules = rules
        self._sectors = {t: c.sector for t, c in load_universe(database, now).companies.items()}
        self._books = portfolio.standing(connection, account_id, now, {}, self._sectors)
        self._limits = rules.tiers[control.current_tier(connection, account_id, settings.trading.risk_tier)]
        self._open = sorted({*self._books.positions, *self._books.pending_buys})
        self._lake, self._now = lake, now

    def size(self, recommendation: Recommendation | None) -> Size:
        """What would be ordered now, at the last close."""
        why_not = _silenced(recommendation, self._limits, self._rules)
        if recommendation is None or why_not:
            return Size(why_not)
        ticker = recommendation.ticker
        if recommendation.action is Action.SELL:
            held = exposure.free_quantity(self._books, ticker)
            return Size("Sells all that is held and free.", shares=held) if held else Size("Nothing is held to sell.")
        bars = DailyBars(self._lake).of({ticker, *self._open}, self._now)
        price = market.last_close(bars.get(ticker, ())) or recommendation.reference_price
        if price is None:
            return Size(f"No price of {ticker} is known.")
        views = {
            name: market.view(name, None, bars, self._open, self._sectors.get(name, ""))
            for name in {ticker, *self._open}
        }
        sized = size_entry(
            recommendation.confidence, views[ticker], price, self._books, views, self._limits, self._rules
        )
        if sized.reason:
            return Size(f"Nothing: {sized.sentence}")
        return Size(f"Sized at the last close of ${price}.", dollars=sized.dollars)
