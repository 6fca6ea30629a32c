"""Whose turn it is when days are asked for again: nothing is left out, nothing is asked for in a frenzy."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stonks_assets.automation.turns import LONGEST_PAUSE, MOST_DAYS, Asked, Stretch, next_turn, stretches
from stonks_assets.automation.wear import MANY_BEFORE, MANY_TODAY, worn_days

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
TODAY = NOON.date()
days = st.integers(0, 40).map(lambda back: TODAY - timedelta(days=back))
undone_days = st.dictionaries(days, st.integers(1, 50), min_size=1, max_size=20)


def back(count: int) -> date:
    return TODAY - timedelta(days=count)


def test_days_in_a_row_are_one_stretch_of_at_most_three() -> None:
    undone = dict.fromkeys((TODAY, back(1), back(2), back(3), back(7)), 2)
    assert stretches(undone) == [
        Stretch(back(2), TODAY, 6),
        Stretch(back(3), back(3), 2),
        Stretch(back(7), back(7), 2),
    ]
    assert [str(stretch) for stretch in stretches(undone)][:2] == ["2026-03-08 to 2026-03-10", "2026-03-07"]


@given(undone_days)
def test_stretches_hold_exactly_the_days(undone: dict[date, int]) -> None:
    found = stretches(undone)
    covered = [s.first + timedelta(days=n) for s in found for n in range((s.last - s.first).days + 1)]
    assert sorted(covered) == sorted(undone)
    assert sum(s.items for s in found) == sum(undone.values())
    assert all((s.last - s.first).days < MOST_DAYS for s in found)


def test_what_changes_nothing_is_asked_for_less_and_less_often() -> None:
    undone, asked, now = {TODAY: 3}, Asked(), NOON
    pauses = []
    for _ in range(9):
        turn = next_turn(asked, undone, now)
        if isinstance(turn, datetime):
            pauses.append(turn - now)
            now = turn
            turn = next_turn(asked, undone, now)
        assert isinstance(turn, tuple)
        stretch, asked = turn
        assert stretch == Stretch(TODAY, TODAY, 3)
    assert [pause.total_seconds() / 60 for pause in pauses] == [1, 2, 4, 8, 16, 32, 60, 60]
    turn = next_turn(asked, {TODAY: 2}, now)
    assert isinstance(turn, tuple), "progress ends the pause"
    assert turn[1].in_vain == 0


@given(undone_days)
def test_every_stretch_has_its_turn_while_none_can_be_helped(undone: dict[date, int]) -> None:
    asked, now, had = Asked(), NOON, set()
    wanted = set(stretches(undone))
    for _ in wanted:
        turn = next_turn(asked, undone, now)
        if isinstance(turn, datetime):
            assert turn <= now + LONGEST_PAUSE
            now = turn
            turn = next_turn(asked, undone, now)
        assert isinstance(turn, tuple)
        stretch, asked = turn
        asked = Asked.of(asked.text())
        had.add(stretch)
    assert had == wanted


@pytest.mark.parametrize("cursor", [None, "", "nonsense", "[]", '{"other": 1}', "2026-03-10"])
def test_a_cursor_of_another_shape_is_none(cursor: str | None) -> None:
    assert Asked.of(cursor) == Asked()


def test_a_day_is_worn_by_many_small_files_and_sooner_when_it_is_over() -> None:
    files = {TODAY: MANY_TODAY - 1, back(1): MANY_BEFORE, back(2): MANY_BEFORE - 1, back(3): 1, back(4): 500}
    assert worn_days(files, TODAY) == [back(4), back(1)]
    assert worn_days({TODAY: MANY_TODAY}, TODAY) == [TODAY]
    assert worn_days({}, TODAY) == []
