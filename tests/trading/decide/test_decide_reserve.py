"""The reserve pool's movements and its ledger."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stonks_core.errors import BadInputError
from stonks_trading.decide import reserve
from stonks_trading.decide.reserve import ReserveRow
from stonks_trading.decide.rules import ReserveRules
from tests.trading.decide.desk import NOON, cents, dec

RULES = ReserveRules()


def test_a_fifth_of_a_profit_goes_in_cut_to_the_cent() -> None:
    row = reserve.siphon(Decimal(5), Decimal("12.34"), RULES, NOON)
    assert row is not None
    assert (row.trigger, row.amount, row.balance) == ("siphon", Decimal("2.46"), Decimal("7.46"))
    assert reserve.siphon(Decimal(5), Decimal(-3), RULES, NOON) is None
    assert reserve.siphon(Decimal(5), Decimal("0.04"), RULES, NOON) is None


def test_the_excess_over_the_high_water_share_returns() -> None:
    row = reserve.high_water_return(Decimal(400), Decimal("1000.01"), RULES, NOON)  # limit 300.003
    assert row is not None
    assert (row.amount, row.balance) == (Decimal("-100.00"), Decimal("300.00"))
    assert reserve.high_water_return(Decimal(300), Decimal(1000), RULES, NOON) is None
    broke = reserve.high_water_return(Decimal(10), Decimal(-5), RULES, NOON)
    assert broke is not None
    assert broke.balance == 0


@pytest.mark.parametrize(
    ("held", "equity", "moved"), [("200", "600", None), ("200", "599", "-200"), ("900", "500", "-500")]
)
def test_an_emergency_covers_the_loss_as_far_as_it_reaches(held: str, equity: str, moved: str | None) -> None:
    row = reserve.emergency_use(dec(held), dec(equity), Decimal(1000), RULES, NOON)
    assert (row.amount if row else None) == (None if moved is None else dec(moved))


@given(
    st.lists(st.tuples(st.sampled_from(["siphon", "return", "emergency"]), cents("-500", "5000"), cents("1", "5000")))
)
def test_the_balance_is_the_sum_of_the_rows_and_never_below_zero(steps) -> None:  # type: ignore[no-untyped-def]
    rows: list[ReserveRow] = []
    for kind, amount, peak in steps:
        held = reserve.balance(rows)
        row = {
            "siphon": lambda h=held, a=amount: reserve.siphon(h, a, RULES, NOON),
            "return": lambda h=held, a=amount: reserve.high_water_return(h, a, RULES, NOON),
            "emergency": lambda h=held, a=amount, p=peak: reserve.emergency_use(h, a, p, RULES, NOON),
        }[kind]()
        if row is not None:
            rows.append(row)
        if kind == "return" and amount > 0:
            assert reserve.balance(rows) <= RULES.high_water * amount
    assert all(r.balance >= 0 for r in rows)
    assert reserve.faults(rows) == ()
    assert not rows or rows[-1].balance == reserve.balance(rows)


def test_a_tampered_ledger_is_named_row_by_row() -> None:
    first = reserve.siphon(Decimal(0), Decimal(100), RULES, NOON)
    assert first is not None
    second = reserve.siphon(first.balance, Decimal(50), RULES, NOON)
    assert second is not None
    (wrong,) = reserve.faults([first, replace(second, balance=Decimal(31))])
    assert "Row 2" in wrong
    assert "$31" in wrong
    assert len(reserve.faults([replace(first, amount=Decimal(-1), balance=Decimal(-1))])) == 1


def test_a_reserve_below_zero_is_refused() -> None:
    with pytest.raises(BadInputError, match="cannot move"):
        reserve.siphon(Decimal(-1), Decimal(100), RULES, NOON)
