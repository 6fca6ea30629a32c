"""Which stop should rest, and who protects: by example, and what must hold for any position."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stonks_trading.decide.protection import TRAIL_STEP, Leave, Rest, Resting, arrange, cover
from stonks_trading.records import Position


def position(quantity: str = "3", stop: str | None = "95") -> Position:
    return Position("ACME", Decimal(quantity), Decimal(100), Decimal(100), stop=None if stop is None else Decimal(stop))


def resting(left: str = "3", stop: str = "95", *, sent: bool = True) -> Resting:
    return Resting("so-1", Decimal(left), Decimal(stop), sent)


def test_a_bare_position_gets_its_stop() -> None:
    found = arrange(position(), Decimal(100), [], busy=False)
    assert found == Rest(Decimal(3), Decimal(95), "Rest a stop at $95 under 3 shares of ACME.")


@pytest.mark.parametrize(
    ("held", "price", "at_rest", "busy", "why"),
    [
        (position(), "100", [resting()], False, "in its place"),
        (position(), "100", [], True, "on its way"),
        (position(stop=None), "100", [], False, "no stop level"),
        (position(), None, [], False, "price is unknown"),
        (position(), "95", [], False, "not above"),
        (position("0.009"), "100", [], False, "least order"),
        (position(stop="95.09"), "100", [resting()], False, "in its place"),
    ],
)
def test_what_is_left_as_it_is(held: Position, price: str | None, at_rest: list[Resting], busy: bool, why: str) -> None:
    found = arrange(held, None if price is None else Decimal(price), at_rest, busy=busy)
    assert isinstance(found, Leave)
    assert why in found.sentence


def test_another_quantity_or_a_risen_level_is_a_new_stop_and_an_unsent_one_is_dropped() -> None:
    grown = arrange(position("5"), Decimal(100), [resting()], busy=False)
    assert isinstance(grown, Rest)
    assert (grown.quantity, grown.drop) == (5, ())
    risen = arrange(position(stop="96"), Decimal(100), [resting(sent=False)], busy=False)
    assert isinstance(risen, Rest)
    assert (risen.stop_price, risen.drop) == (96, ("so-1",))


levels = st.decimals("1", "500", places=2)
sizes = st.decimals("0.01", "50", places=4)


@given(sizes, levels, levels, st.lists(st.tuples(sizes, levels, st.booleans()), max_size=3), st.booleans())
def test_a_stop_never_falls_never_exceeds_and_settles(
    size: Decimal, stop: Decimal, price: Decimal, others: list[tuple[Decimal, Decimal, bool]], busy: bool
) -> None:
    held = position(str(size), str(stop))
    at_rest = [Resting(f"so-{n}", left, level, sent) for n, (left, level, sent) in enumerate(others)]
    found = arrange(held, price, at_rest, busy=busy)
    if isinstance(found, Leave):
        return
    assert found.quantity == held.quantity
    assert found.stop_price == max([stop, *(level for _, level, sent in others if sent)]) < price
    placed = Resting("so-new", found.quantity, found.stop_price, sent=True)
    assert isinstance(arrange(held, price, [placed], busy=False), Leave)
    nearly = Position(**{**vars(held), "stop": found.stop_price * (1 + TRAIL_STEP / 2)})
    assert isinstance(arrange(nearly, price, [placed], busy=False), Leave)


def test_who_protects() -> None:
    assert cover(position(), Decimal(3), "").by == "broker"
    assert cover(position(), Decimal(2), "").by == "monitored"
    bare = cover(position(), Decimal(2), "no fresh price of ACME is known")
    assert (bare.by, bare.sentence) == (
        "none",
        "1 of 3 shares of ACME are unprotected: no fresh price of ACME is known.",
    )
    assert "no stop level" in cover(position(stop=None), Decimal(0), "").sentence
    assert cover(position(stop=None), Decimal(3), "away").by == "broker"
