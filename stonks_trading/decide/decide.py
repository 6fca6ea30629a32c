"""The decision: recommendations, a portfolio and a market in; one traced decision for each recommendation out.

Backtest, replay, paper and live call this one function; it composes the rules of its neighbours and holds none itself.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from types import MappingProxyType

from stonks_core.clock import require_utc
from stonks_core.identifiers import digest
from stonks_core.vocabulary import Action
from stonks_trading.decide import candidates, exposure, gates, micro, trace, tranches
from stonks_trading.decide.quotes import UnusableQuote, judge_quote
from stonks_trading.decide.rules import TradingRules
from stonks_trading.decide.sizing import size_entry
from stonks_trading.decide.stops import initial_levels
from stonks_trading.decide.tiers import TierLimits
from stonks_trading.records import (
    Clamp,
    Decision,
    EngineState,
    MarketView,
    OrderPlan,
    Portfolio,
    Recommendation,
)

NEVER: Mapping[str, datetime] = MappingProxyType({})


def decide(
    recommendations: Sequence[Recommendation],
    portfolio: Portfolio,
    market: Mapping[str, MarketView],
    state: EngineState,
    rules: TradingRules,
    as_of: datetime,
    *,
    market_open: bool,
    decided: Mapping[str, int],
    last_sent: Mapping[str, datetime] = NEVER,
) -> tuple[Decision, ...]:
    """What to do about each recommendation at `as_of`: exits first, then entries loudest first, then who is silent.

    Hand in every recommendation that has not expired, already decided ones, `hold` and `watch` included (see
    `candidates`). `decided` counts the tranches sent per recommendation, `tranches.ALL_SENT` where nothing more may be
    sent; `last_sent` is when the last one went (both from `tranches.progress`). Whoever is done, or whose next tranche
    is not due yet, gets no new decision. Each entry sees the cash, sectors, heat and places that the entries before it
    took. The order of the inputs does not matter. A sell sells what is held and free, never more.
    """
    require_utc(as_of)
    call = _Call(market, rules, rules.tiers[state.tier], as_of, market_open, decided)
    chosen = candidates.choose(
        recommendations,
        as_of,
        broker_mode=rules.broker_mode,
        min_confidence=call.limits.min_confidence,
    )
    open_cases = [r for r in chosen.speakers if not call.is_done(r)]
    exits = [
        call.leave(r, portfolio, state) for r in sorted(open_cases, key=lambda r: r.ticker) if r.action is Action.SELL
    ]
    entries: list[Decision] = []
    for r in open_cases:
        if r.action is Action.BUY and tranches.is_due(last_sent.get(r.recommendation_id), as_of, rules):
            decision = call.enter(r, portfolio, state)
            entries.append(decision)
            portfolio, state = _after(decision, portfolio, state)
    silent = [
        call.skip(s.recommendation, s.reason, s.sentence, final=True)
        for s in chosen.silenced
        if not call.is_done(s.recommendation)
    ]
    return (*exits, *entries, *silent)


def decision_id(recommendation_id: str, tranche: int) -> str:
    """The name of the decision about one tranche: the same whoever decides, and however often."""
    return digest(recommendation_id, tranche)


@dataclass(frozen=True)
class _Call:
    """What is the same for every recommendation of one call."""

    market: Mapping[str, MarketView]
    rules: TradingRules
    limits: TierLimits
    as_of: datetime
    market_open: bool
    decided: Mapping[str, int]

    def sent(self, r: Recommendation) -> int:
        return self.decided.get(r.recommendation_id, 0)

    def is_done(self, r: Recommendation) -> bool:
        single = r.action is not Action.BUY or micro.is_micro(r, self.rules.micro)
        return self.sent(r) >= 1 if single else tranches.is_complete(self.sent(r), self.rules)

    def leave(self, r: Recommendation, portfolio: Portfolio, state: EngineState) -> Decision:
        """Sell all that is held and not being sold already."""
        inputs = self._facts(r, portfolio, state) | {"held": str(exposure.held_quantity(portfolio, r.ticker))}
        shut = gates.shut_for("sell", r.ticker, portfolio, state, market_open=self.market_open)
        quantity = exposure.free_quantity(portfolio, r.ticker)
        if quantity <= 0 and not portfolio.pending_buys.get(r.ticker):
            held = exposure.held_quantity(portfolio, r.ticker)
            sentence = (
                f"All {held.normalize():f} shares of {r.ticker} are being sold already."
                if held
                else f"Nothing of {r.ticker} is held, and nothing is sold short."
            )
            return self.skip(r, "nothing_held", sentence, final=True, inputs=inputs)
        if shut is not None:
            return self.skip(r, shut.reason, shut.sentence, final=False, inputs=inputs)
        order = OrderPlan(r.ticker, "sell", "market", quantity=quantity, purpose="exit")
        sentence = (
            f"Sell all {quantity.normalize():f} free shares of {r.ticker}: the {r.window} view is bearish with strength "
            f"{r.strength:.2f} and confidence {r.confidence:.2f}."
        )
        return self._act(r, order, "exit", sentence, (), inputs, final=True)

    def enter(self, r: Recommendation, portfolio: Portfolio, state: EngineState) -> Decision:
        """Buy what the rules leave of the target, or its next tranche."""
        inputs = self._facts(r, portfolio, state)
        shut = gates.shut_for("buy", r.ticker, portfolio, state, market_open=self.market_open)
        if shut is not None:
            return self.skip(r, shut.reason, shut.sentence, final=False, inputs=inputs)
        refusal = micro.refuse_entry(r, portfolio, state, self.rules.micro)
        if refusal is not None:
            return self.skip(r, refusal[0], refusal[1], final=refusal[2], inputs=inputs)
        view = self.market.get(r.ticker)
        quote = judge_quote(r.ticker, view.quote if view else None, self.as_of, self.rules.quotes)
        if view is None or isinstance(quote, UnusableQuote):
            fault = quote if isinstance(quote, UnusableQuote) else None
            return self.skip(
                r,
                fault.fault if fault else "no_quote",
                fault.sentence if fault else f"There is no market view of {r.ticker}.",
                final=False,
                inputs=inputs,
            )
        price = quote.far_side("buy")
        inputs |= trace.seen(view, price)
        if view.atr is None:
            sentence = f"The average true range of {r.ticker} is unknown, so that no stop could be set."
            return self.skip(r, "no_atr", sentence, final=False, inputs=inputs)
        levels = initial_levels(price, view.atr, self.limits)
        if levels is None:
            sentence = (
                f"No stop fits below ${price} for {r.ticker}: {self.limits.stop_atr} times an average true range of "
                f"${view.atr:.4f}."
            )
            return self.skip(r, "no_stop_possible", sentence, final=True, inputs=inputs)
        inputs |= {"stop": str(levels.stop), "take_profit": str(levels.take_profit)}
        return self._buy(r, view, price, portfolio, inputs)

    def _facts(self, r: Recommendation, portfolio: Portfolio, state: EngineState) -> dict[str, str]:
        view = self.market.get(r.ticker)
        shown = trace.quoted(view.quote, view.typical_volume) if view else {}
        return trace.facts(r, portfolio, state) | shown

    def _buy(
        self,
        r: Recommendation,
        view: MarketView,
        price: Decimal,
        portfolio: Portfolio,
        inputs: Mapping[str, str],
    ) -> Decision:
        small = micro.is_micro(r, self.rules.micro)
        sizing = size_entry(
            r.confidence,
            view,
            price,
            portfolio,
            self.market,
            self.limits,
            self.rules,
            allocation=self.rules.micro.allocation if small else None,
        )
        if sizing.reason:
            return self.skip(r, sizing.reason, sizing.sentence, final=True, inputs=inputs, clamps=sizing.clamps)
        part = (
            tranches.Tranche(1, 1, sizing.dollars)
            if small
            else tranches.next_tranche(sizing.dollars, self.sent(r), self.rules)
        )
        order = OrderPlan(
            r.ticker,
            "buy",
            "market",
            notional=part.dollars,
            tranche=part.number,
            tranches=part.of,
            micro=small,
        )
        split = f", part {part.number} of {part.of} with ${sizing.dollars} to go" if part.of > 1 else ""
        sentence = (
            f"Buy ${part.dollars} of {r.ticker} at about ${price}{split}: the {r.window} view is bullish with strength "
            f"{r.strength:.2f} and confidence {r.confidence:.2f}."
        )
        whole = {**inputs, "size": str(sizing.dollars)}
        return self._act(r, order, "sized", sentence, sizing.clamps, whole, final=part.number >= part.of)

    def skip(
        self,
        r: Recommendation,
        reason: str,
        sentence: str,
        *,
        final: bool,
        inputs: Mapping[str, str] | None = None,
        clamps: tuple[Clamp, ...] = (),
    ) -> Decision:
        """A decision not to act; the rest of a gradual entry goes with it where it is final."""
        sent = self.sent(r)
        rest = " The rest of the gradual entry is cancelled." if final and sent else ""
        return Decision(
            decision_id=decision_id(r.recommendation_id, sent + 1),
            recommendation_id=r.recommendation_id,
            ticker=r.ticker,
            outcome="skip",
            reason=reason,
            sentence=sentence + rest,
            as_of=self.as_of,
            clamps=clamps,
            inputs=trace.said(r) if inputs is None else inputs,
            final=final,
        )

    def _act(
        self,
        r: Recommendation,
        order: OrderPlan,
        reason: str,
        sentence: str,
        clamps: tuple[Clamp, ...],
        inputs: Mapping[str, str],
        *,
        final: bool,
    ) -> Decision:
        return Decision(
            decision_id=decision_id(r.recommendation_id, order.tranche),
            recommendation_id=r.recommendation_id,
            ticker=r.ticker,
            outcome="act",
            reason=reason,
            sentence=sentence,
            as_of=self.as_of,
            order=order,
            clamps=clamps,
            inputs=inputs,
            final=final,
        )


def _after(decision: Decision, portfolio: Portfolio, state: EngineState) -> tuple[Portfolio, EngineState]:
    """The portfolio and state that the next entry meets: this one's dollars and place are taken."""
    order = decision.order
    if order is None or order.notional is None:
        return portfolio, state
    bought = portfolio.pending_buys.get(order.ticker, Decimal(0)) + order.notional
    promised = max(portfolio.committed, sum(portfolio.pending_buys.values(), Decimal(0)))
    return (
        replace(
            portfolio,
            pending_buys={**portfolio.pending_buys, order.ticker: bought},
            committed=promised + order.notional,
        ),
        replace(state, micro_trades_today=state.micro_trades_today + order.micro),
    )
