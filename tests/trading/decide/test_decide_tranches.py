"""Gradual entry."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stonks_trading.decide import tranches
from stonks_trading.decide.tranches import ALL_SENT, Tranche
from stonks_trading.records import Decision, OrderPlan
from tests.trading.decide.desk import NOON, RULES, cents, dec

GRADUAL = replace(RULES, gradual_entry_threshold=Decimal(30), gradual_entry_tranches=3)


@pytest.mark.parametrize(
    ("rest", "sent", "part"),
    [
        ("30", 0, Tranche(1, 1, Decimal("30.00"))),
        ("50", 0, Tranche(1, 3, Decimal("16.66"))),
        ("33.34", 1, Tranche(2, 3, Decimal("16.67"))),
        ("16.67", 2, Tranche(3, 3, Decimal("16.67"))),
        ("1.50", 1, Tranche(2, 2, Decimal("1.50"))),  # two parts of 75 cents would be too small
    ],
)
def test_parts_by_hand(rest: str, sent: int, part: Tranche) -> None:
    assert tranches.next_tranche(dec(rest), sent, GRADUAL) == part


@given(cents("1", "5000"), st.integers(1, 20), cents("0", "100"))
def test_parts_add_up_to_the_whole_and_none_is_too_small(whole, parts, threshold) -> None:  # type: ignore[no-untyped-def]
    rules = replace(GRADUAL, gradual_entry_tranches=parts, gradual_entry_threshold=threshold)
    rest, sent, sizes = whole, 0, []
    while rest >= rules.least_order and not (sent and tranches.is_complete(sent, rules)):
        part = tranches.next_tranche(rest, sent, rules)
        assert part.number == sent + 1
        assert rules.least_order <= part.dollars <= rest
        sizes.append(part.dollars)
        rest, sent = rest - part.dollars, sent + 1
        if part.number == part.of:
            break
    assert sum(sizes) == whole
    assert max(sizes) - min(sizes) <= Decimal("0.01") * len(sizes)


def test_an_interval_apart() -> None:
    assert tranches.is_due(None, NOON, GRADUAL)
    assert not tranches.is_due(NOON - timedelta(seconds=59), NOON, GRADUAL)
    assert tranches.is_due(NOON - timedelta(seconds=60), NOON, GRADUAL)


def act(name: str, number: int, of: int, minute: int) -> Decision:
    order = OrderPlan("ACME", "buy", "market", notional=Decimal(10), tranche=number, tranches=of)
    at = NOON + timedelta(minutes=minute)
    return Decision(f"{name}{number}", name, "ACME", "act", "sized", "s", at, order, final=number == of)


def skip(name: str, *, final: bool) -> Decision:
    return Decision(f"{name}1", name, "ACME", "skip", "why", "s", NOON, final=final)


def test_progress_reads_stored_decisions_in_any_order() -> None:
    stored = [act("a", 1, 3, 0), act("a", 2, 3, 1), skip("b", final=True), skip("c", final=False), act("d", 1, 1, 2)]
    for shuffled in permutations(stored):
        sent, last = tranches.progress(shuffled)
        assert sent == {"a": 2, "b": ALL_SENT, "d": ALL_SENT}
        assert last == {"a": NOON + timedelta(minutes=1), "d": NOON + timedelta(minutes=2)}
