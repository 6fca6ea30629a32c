"""The decisions about a child, by example and by property; time is a number here."""

import signal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stonks_cli.supervise import policy
from stonks_cli.supervise.policy import Exit, Life, Phase, RestartPolicy

PATIENCE = RestartPolicy()


def lives_and_dies(life: Life, at: float, *, ready_after: float | None, dies_after: float) -> Life:
    life = policy.started(life, at, 60)
    if ready_after is not None:
        life = policy.became_ready(life, at + ready_after)
    return policy.died(life, at + dies_after, PATIENCE)


def test_rests_double_from_half_a_second_to_half_a_minute() -> None:
    assert [PATIENCE.delay(deaths) for deaths in range(1, 10)] == [0.5, 1, 2, 4, 8, 16, 30, 30, 30]


@given(st.integers(1, 10**9))
def test_a_rest_is_never_longer_than_the_longest_nor_shorter_than_before(deaths: int) -> None:
    assert PATIENCE.first_delay <= PATIENCE.delay(deaths) <= PATIENCE.delay(deaths + 1) <= PATIENCE.longest_delay


def test_no_rest_without_a_death() -> None:
    with pytest.raises(ValueError, match="follows a death"):
        PATIENCE.delay(0)


def test_the_fifth_death_in_a_row_is_worth_an_alarm_and_then_every_fifth() -> None:
    assert [deaths for deaths in range(21) if PATIENCE.alarms(deaths)] == [5, 10, 15, 20]


def test_quick_deaths_add_up_whether_it_was_ready_or_not() -> None:
    life = lives_and_dies(Life(), 0, ready_after=None, dies_after=1)
    assert (life.phase, life.deaths, life.due) == (Phase.RESTING, 1, 1.5)
    life = lives_and_dies(life, 1.5, ready_after=1, dies_after=30)
    assert (life.phase, life.deaths, life.due) == (Phase.RESTING, 2, 32.5)


@given(st.integers(1, 50), st.floats(0, 1e6))
def test_a_minute_of_health_forgives_all_earlier_deaths(deaths: int, ready_after: float) -> None:
    life = lives_and_dies(Life(Phase.RESTING, deaths=deaths), 0, ready_after=ready_after, dies_after=ready_after + 60.5)
    assert life.deaths == 1
    again = lives_and_dies(Life(Phase.RESTING, deaths=deaths), 0, ready_after=ready_after, dies_after=ready_after + 59)
    assert again.deaths == deaths + 1


def test_time_before_it_was_ready_is_not_health() -> None:
    assert lives_and_dies(Life(Phase.RESTING, deaths=3), 0, ready_after=None, dies_after=1000).deaths == 4


def test_not_ready_in_time_counts_as_a_death() -> None:
    life = policy.started(Life(), 100, ready_seconds=20)
    assert not policy.is_due(life, 119.9)
    assert policy.is_due(life, 120)
    late = policy.was_late(life, 120, grace_seconds=10)
    assert late.runs
    assert late.due == 130
    assert policy.died(late, 121, PATIENCE) == Life(Phase.RESTING, 121, 1, 121.5)


def test_ready_is_never_due() -> None:
    life = policy.became_ready(policy.started(Life(), 0, 60), 1)
    assert not policy.is_due(life, 1e12)


@pytest.mark.parametrize("phase", [Phase.STARTING, Phase.READY, Phase.LATE])
def test_what_runs_is_given_its_grace_and_then_is_done(phase: Phase) -> None:
    life = policy.told_to_stop(Life(phase, deaths=2), 5, grace_seconds=10)
    assert (life.phase, life.due) == (Phase.STOPPING, 15)
    assert policy.told_to_stop(life, 9, 10) == life
    assert policy.died(life, 6, PATIENCE).phase is Phase.STOPPED


@pytest.mark.parametrize("phase", [Phase.WAITING, Phase.RESTING])
def test_what_does_not_run_stops_at_once(phase: Phase) -> None:
    assert policy.told_to_stop(Life(phase, due=3), 1, 10) == Life(Phase.STOPPED, 1)


def test_impossible_steps_are_refused() -> None:
    with pytest.raises(ValueError, match="a child that is ready"):
        policy.started(Life(Phase.READY), 0, 60)
    with pytest.raises(ValueError, match="a child that is stopped"):
        policy.died(Life(Phase.STOPPED), 0, PATIENCE)
    with pytest.raises(ValueError, match="a child that is waiting"):
        policy.became_ready(Life(), 0)


def test_an_end_in_words() -> None:
    assert Exit(code=3).sentence == "exited with code 3"
    assert Exit(signal=int(signal.SIGKILL)).sentence == "was killed by SIGKILL"
    assert Exit(signal=int(signal.SIGKILL), launcher=True).sentence == "its launcher was killed by SIGKILL"
    assert Exit(signal=1000).sentence == "was killed by signal 1000"
