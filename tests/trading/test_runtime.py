"""Settings changed while the engine runs: what may be, what may not, and that the next round follows."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stonks_core.errors import BadFieldsError, BadInputError, ConflictError
from stonks_core.settings.trading import Trading
from stonks_core.stores.postgres import Database
from stonks_core.vocabulary import RiskTier
from stonks_trading import runtime
from stonks_trading.console import config
from stonks_trading.console.author import Author
from tests.trading.bench import Bench, at


@pytest.fixture
def bench(database: Database) -> Bench:
    made = Bench(database)
    made.lake.recommend("r1", at(15, 30))
    return made


def test_rows_go_before_the_environment_and_others_keys_are_not_touched() -> None:
    changed = runtime.overridden(
        Trading(), {"trading.max_open_positions": 3, "risk.max_open_positions": 99, "macro": 1}
    )
    assert changed.max_open_positions == 3
    assert changed.model_copy(update={"max_open_positions": 10}) == Trading()
    assert runtime.overridden(Trading(), {"macro_enabled": False}) == Trading()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("enabled", True),
        ("polling_interval_seconds", 5),
        ("max_open_positions", 0),
        ("max_open_positions", True),
        ("micro_trading_enabled", 1),
        ("absolute_position_cap", -1),
        ("absolute_position_cap", None),
        ("volatility_breaker", "high"),
    ],
)
def test_what_may_not_be_is_named(name: str, value: object) -> None:
    assert name in runtime.refusal(name, value)
    with pytest.raises(BadInputError, match=name):
        runtime.overridden(Trading(), {runtime.PREFIX + name: value})


@given(st.sampled_from(runtime.CHANGEABLE), st.one_of(st.floats(), st.integers(), st.booleans(), st.text(), st.none()))
def test_what_is_not_refused_is_taken_over(name: str, value: object) -> None:
    if not runtime.refusal(name, value):
        assert (
            getattr(runtime.overridden(Trading(), {runtime.PREFIX + name: value}), name)
            == Trading.model_validate({name: value}).model_dump()[name]
        )


def change(bench: Bench, version: int | None, values: dict[str, object], unset: tuple[str, ...] = ()) -> None:
    with bench.database.connection() as connection:
        author = Author("said the test", at(16))
        config.change(connection, author, "trading.", version, config.Wanted(values, unset))


def test_the_next_decision_follows_and_unsetting_goes_back(bench: Bench) -> None:
    session = bench.session()
    session.reconcile()
    change(bench, 0, {"absolute_position_cap": 12})
    session.decide(at(16))
    assert bench.orders()[0]["notional"] == 12
    with pytest.raises(ConflictError, match="somebody else was first"):
        change(bench, 0, {"absolute_position_cap": 13})
    change(bench, 1, {}, ("absolute_position_cap",))
    bench.lake.recommend("r2", at(16), ticker="ACME")
    session.decide(bench.to(at(16, 1)))
    assert bench.orders()[1]["notional"] > 12
    history = bench.database.fetch('SELECT key, was, "is", actor, reason FROM risk_config_history ORDER BY id')
    assert [(h["key"], h["was"], h["is"]) for h in history] == [
        ("trading.absolute_position_cap", None, 12),
        ("trading.absolute_position_cap", 12, None),
    ]


def test_a_row_that_cannot_be_read_closes_entries_and_lets_exits_go(bench: Bench) -> None:
    session = bench.session()
    session.reconcile()
    session.decide(at(16))
    session.send_outbox(at(16))
    bench.broker.fill_all()
    session.sweep(at(16))
    bench.database.execute("INSERT INTO risk_configs (key, value) VALUES ('trading.max_open_positions', '\"many\"')")
    bench.lake.recommend("r2", at(16), ticker="ACME")
    (skip,) = session.decide(bench.to(at(16, 1)))
    assert (skip.outcome, skip.reason) == ("skip", "data_health")
    assert "trading.max_open_positions" in skip.sentence
    bench.ask("flatten", at(16, 2))
    session.obey(bench.to(at(16, 2)))
    assert len(session.send_outbox(at(16, 2)).sent) == 1


def test_a_bad_change_changes_nothing(bench: Bench) -> None:
    with pytest.raises(BadFieldsError) as found:
        change(bench, 0, {"absolute_position_cap": 12, "max_open_positions": 0, "enabled": True}, ("colour",))
    assert {name for name, _ in found.value.fields} == {"max_open_positions", "enabled", "colour"}
    assert bench.database.fetch("SELECT 1 FROM risk_configs") == []


def test_a_tier_set_by_hand_stands_until_the_next_step(bench: Bench) -> None:
    session = bench.session()
    session.reconcile()
    with bench.database.connection() as connection:
        config.change_trading(
            connection,
            Author("careful", at(16), "Ada"),
            bench.settings,
            at(16).date(),
            0,
            config.Wanted({}),
            tier=RiskTier.CONSERVATIVE,
            auto_tier=False,
        )
    session.decide(at(16))
    (step,) = bench.database.fetch("SELECT to_tier, actor FROM risk_tier_history")
    assert step == {"to_tier": "conservative", "actor": "Ada"}
    assert bench.orders()[0]["notional"] <= 50
    session.close_books(bench.to(at(20, 30)))
    assert session.review_tier(at(20, 30)) is None
