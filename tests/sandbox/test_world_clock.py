"""The two clocks: one cannot be set, the other never goes back and survives a restart."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stonks_sandbox.world.clock import ClockRefusal, DrivenClock, WallClock
from stonks_sandbox.world.instants import epoch_ms, from_epoch_ms, parse_instant

START = datetime(2024, 5, 1, 12, tzinfo=UTC)


def test_wall_clock_follows_its_source_and_cannot_be_set() -> None:
    clock = WallClock(lambda: START)
    assert clock.now() == START
    refusal = clock.advance(START + timedelta(hours=1))
    assert refusal is not None
    assert "--clock driven" in refusal.reason


def test_driven_clock_moves_forward_only(tmp_path: Path) -> None:
    clock = DrivenClock(tmp_path / "clock.json", START)
    assert clock.advance(START + timedelta(hours=1)) is None
    assert clock.advance(START + timedelta(hours=1)) is None
    refusal = clock.advance(START)
    assert isinstance(refusal, ClockRefusal)
    assert "never goes back" in refusal.reason
    assert clock.now() == START + timedelta(hours=1)


def test_driven_clock_continues_where_it_stood(tmp_path: Path) -> None:
    DrivenClock(tmp_path / "clock.json", START).advance(START + timedelta(days=3, microseconds=5))
    assert DrivenClock(tmp_path / "clock.json", START).now() == START + timedelta(days=3, microseconds=5)


def test_damaged_clock_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "clock.json").write_text("{}")
    with pytest.raises(ValueError, match=r"clock\.json"):
        DrivenClock(tmp_path / "clock.json", START)


@given(
    st.integers(0, 7_000_000_000_000_000).map(lambda us: datetime.fromtimestamp(0, UTC) + timedelta(microseconds=us))
)
def test_milliseconds_go_there_and_back(at: datetime) -> None:
    assert from_epoch_ms(epoch_ms(at)) == at.replace(microsecond=at.microsecond // 1000 * 1000)


@pytest.mark.parametrize("text", ["2024-05-01", "2024-05-01T12:00:00", "noon", ""])
def test_instants_without_offset_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"instant|offset"):
        parse_instant(text)
