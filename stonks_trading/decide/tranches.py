"""Gradual entry: a large buy goes in equal parts, one per decision interval, each sized and checked anew.

Since a size is what is still missing to the target, the next part is simply the rest divided by the parts left.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from stonks_core.money import dollars_down
from stonks_trading.decide.rules import TradingRules
from stonks_trading.records import Decision

ALL_SENT = 1_000_000  # "tranches already sent" of a recommendation that nothing more may be sent for


@dataclass(frozen=True)
class Tranche:
    """The `number`th of `of` parts, worth `dollars`."""

    number: int
    of: int
    dollars: Decimal


def next_tranche(rest: Decimal, sent: int, rules: TradingRules) -> Tranche:
    """The next part of an entry of which `rest` dollars are still to be bought after `sent` parts.

    Above the threshold a fresh entry is split into the configured parts, fewer where a part would be less than the
    least order; an entry under way goes on to the number of parts it began with. Never more than `rest`.
    """
    parts = rules.gradual_entry_tranches if sent or rest > rules.gradual_entry_threshold else 1
    affordable = int(rest // rules.least_order)
    left = max(1, min(parts - sent, affordable))
    return Tranche(sent + 1, sent + left, dollars_down(rest / left))


def is_complete(sent: int, rules: TradingRules) -> bool:
    """Whether every part is sent."""
    return sent >= max(1, rules.gradual_entry_tranches)


def is_due(last_sent: datetime | None, as_of: datetime, rules: TradingRules) -> bool:
    """Whether a decision interval has passed since the last part; always where none is known."""
    return last_sent is None or as_of - last_sent >= rules.decision_interval


def progress(decisions: Iterable[Decision]) -> tuple[Mapping[str, int], Mapping[str, datetime]]:
    """What stored decisions say of each recommendation: (tranches sent, instant of the last one).

    A final decision, act or skip, counts as `ALL_SENT`; a skip that is not final leaves no trace. The order of the
    decisions does not matter.
    """
    sent: dict[str, int] = {}
    last: dict[str, datetime] = {}
    for decision in decisions:
        name = decision.recommendation_id
        if decision.outcome == "act" and decision.order is not None:
            sent[name] = max(sent.get(name, 0), decision.order.tranche)
            last[name] = max(last.get(name, decision.as_of), decision.as_of)
        if decision.final:
            sent[name] = ALL_SENT
    return sent, last
