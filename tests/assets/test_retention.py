"""Retention: what is old goes, what is computed from or answers why of an order stays, and a second time changes nothing."""

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import dagster as dg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stonks_assets.automation import forgetting
from stonks_assets.automation.forgetting import (
    days_to_forget,
    forget_competitive_signals,
    forget_macro_impacts,
    forget_recommendations,
    forget_rows,
    rows_to_forget,
)
from stonks_assets.automation.retention import (
    DATABASE_TABLES,
    HOUSEKEEPING_DAYS,
    LAKE_TABLES,
    cutoffs,
)
from stonks_assets.automation.upkeep import current_cutoffs, retention
from stonks_assets.definitions import build_definitions
from stonks_assets.pipeline import Pipeline
from stonks_core.errors import SettingsError
from stonks_core.settings import load_settings
from stonks_core.stores.lake.gold_tables import RECOMMENDATION_EVIDENCE, RECOMMENDATIONS
from stonks_core.stores.lake.lake import Lake
from stonks_core.stores.lake.silver_tables import COMPETITIVE_SIGNALS, MACRO_IMPACTS
from stonks_core.stores.lake.tables import LakeTable
from stonks_core.stores.postgres import Database
from stonks_core.why import orders_of_document, why_order
from tests.api import story, trades
from tests.assets.automation_stage import NOON, TODAY, filled, on_schedule, pipeline_at, resource, said

KEPT = load_settings({}).retention.model_dump()
TABLES: dict[str, tuple[LakeTable, str]] = {
    "macro_impacts": (MACRO_IMPACTS, "macro_impact_id"),
    "competitive_signals": (COMPETITIVE_SIGNALS, "competitive_id"),
    "recommendations": (RECOMMENDATIONS, "recommendation_id"),
    "recommendation_evidence": (RECOMMENDATION_EVIDENCE, "recommendation_id"),
}
LONG_GONE = NOON - timedelta(days=400)


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.instance_for_test(set_dagster_home=False) as made:  # a schedule's context takes no ephemeral one
        yield made


def forget_all(pipeline: Pipeline) -> dict[str, int]:
    limits = current_cutoffs(pipeline)
    gone: dict[str, int] = {}
    for forget in (forget_rows, forget_recommendations, forget_macro_impacts, forget_competitive_signals):
        gone |= forget(pipeline, limits)
    return gone


def ids(lake: Lake, name: str) -> set[str]:
    table, key = TABLES[name]
    return set(lake.read(table, columns=[key])[key].to_pylist())


def days_ago(days: int) -> date:
    return TODAY - timedelta(days=days)


# Cut-offs.


def test_there_is_a_setting_for_each_of_the_ten_tables() -> None:
    assert len(LAKE_TABLES + DATABASE_TABLES) == 10
    assert set(LAKE_TABLES + DATABASE_TABLES) == set(KEPT) - {"lake_files"}
    assert all(14 <= KEPT[name] <= 90 for name in LAKE_TABLES + DATABASE_TABLES)
    assert set(forgetting.FORGOTTEN) == set(DATABASE_TABLES) | set(HOUSEKEEPING_DAYS)


@given(
    st.fixed_dictionaries({name: st.integers(14, 3650) for name in LAKE_TABLES + DATABASE_TABLES}),
    st.integers(0, 2_000_000).map(lambda minutes: NOON + timedelta(minutes=minutes)),
)
def test_nothing_goes_before_its_days_are_over(kept: dict[str, int], now: datetime) -> None:
    limits = cutoffs(kept, now)
    for name in DATABASE_TABLES:
        assert now - limits.instants[name] == timedelta(days=kept[name])
    for name in LAKE_TABLES:
        first_kept = datetime.combine(limits.days[name], datetime.min.time(), UTC)
        assert first_kept <= now - timedelta(days=kept[name])
    assert limits.days["recommendation_evidence"] <= limits.days["recommendations"]


@pytest.mark.parametrize(
    ("variable", "days"),
    [
        ("RETENTION_MACRO_IMPACTS_DAYS", "89"),
        ("RETENTION_COMPETITIVE_SIGNALS_DAYS", "89"),
        ("RETENTION_RECOMMENDATIONS_DAYS", "46"),
        ("RETENTION_TRADING_DECISIONS_DAYS", "46"),
        ("RETENTION_AUDIT_EVENTS_DAYS", "13"),
        ("LAKE_VACUUM_DAYS", "6"),
    ],
)
def test_less_than_what_is_still_computed_from_is_refused(variable: str, days: str) -> None:
    with pytest.raises(SettingsError, match=variable):
        load_settings({variable: days})


# The lake.


def records(lake: Lake, *days: int) -> None:
    for name in ("macro_impacts", "competitive_signals"):
        table, key = TABLES[name]
        lake.merge(table, [filled(table, day=days_ago(n).isoformat(), **{key: f"r{n}"}) for n in days])


def recommend(lake: Lake, name: str, days: int, **more: object) -> None:
    day, at = days_ago(days).isoformat(), NOON - timedelta(days=days)
    expires = {"expires_at": at + timedelta(days=3)}
    lake.merge(RECOMMENDATIONS, [filled(RECOMMENDATIONS, day=day, recommendation_id=name, as_of=at, **expires | more)])
    lake.merge(
        RECOMMENDATION_EVIDENCE,
        [filled(RECOMMENDATION_EVIDENCE, day=day, recommendation_id=name, rank=rank, as_of=at) for rank in (1, 2)],
    )


def test_rows_of_a_window_s_ninety_days_stay(lake: Lake, database: Database) -> None:
    records(lake, 0, 89, 90, 91, 200)
    gone = forget_all(pipeline_at(NOON, lake, database))
    assert ids(lake, "macro_impacts") == ids(lake, "competitive_signals") == {"r0", "r89", "r90"}
    assert (gone["macro_impacts"], gone["competitive_signals"]) == (2, 2)


def test_a_recommendation_goes_with_its_evidence(lake: Lake, database: Database) -> None:
    for days in (10, 91, 120):
        recommend(lake, f"rec{days}", days)
    gone = forget_all(pipeline_at(NOON, lake, database))
    assert ids(lake, "recommendations") == ids(lake, "recommendation_evidence") == {"rec10"}
    assert (gone["recommendations"], gone["recommendation_evidence"]) == (2, 4)


def test_evidence_outlives_a_shorter_setting_of_its_own(lake: Lake, database: Database) -> None:
    recommend(lake, "rec60", 60)
    forget_all(pipeline_at(NOON, lake, database, RETENTION_RECOMMENDATION_EVIDENCE_DAYS="50"))
    assert ids(lake, "recommendation_evidence") == {"rec60"}


def test_a_second_time_there_is_nothing_to_forget(lake: Lake, database: Database) -> None:
    records(lake, 0, 91)
    pipeline = pipeline_at(NOON, lake, database)
    assert days_to_forget(pipeline, current_cutoffs(pipeline)) == list(LAKE_TABLES)
    forget_all(pipeline)
    versions = {name: lake.version(table) for name, (table, _) in TABLES.items()}
    assert days_to_forget(pipeline, current_cutoffs(pipeline)) == []
    assert set(forget_all(pipeline).values()) == {0}
    assert versions == {name: lake.version(table) for name, (table, _) in TABLES.items()}, "nor a commit"
    tomorrow = pipeline_at(NOON + timedelta(days=1), lake, database)
    assert days_to_forget(tomorrow, current_cutoffs(tomorrow)) == list(LAKE_TABLES)


def answers(database: Database, lake: Lake) -> str:
    chains = [why_order(database, lake, name) for name in (story.ENTRY, story.STOP)]
    forward = [orders_of_document(database, lake, name) for name in (story.NEWS, story.MACRO, story.RIVAL)]
    return json.dumps([chains, forward], default=str, sort_keys=True)


def test_the_answer_to_why_of_an_order_is_the_same_for_good(lake: Lake, database: Database) -> None:
    story.tell_lake(lake)
    story.tell_database(database)
    for table, key in TABLES.values():  # each on the same days as what an order rests on
        days = set(lake.read(table, columns=["day"])["day"].to_pylist())
        lake.merge(table, [story.row(table, day, **{key: "beside"}) for day in days])
    before = answers(database, lake)
    assert "beside" in ids(lake, "macro_impacts") & ids(lake, "recommendations")
    in_a_year = pipeline_at(trades.AS_OF + timedelta(days=365), lake, database)
    gone = forget_all(in_a_year)
    assert all(gone[name] > 0 for name in LAKE_TABLES)
    assert answers(database, lake) == before
    assert not any("beside" in ids(lake, name) for name in LAKE_TABLES)
    assert set(forget_all(in_a_year).values()) == {0}


def test_what_a_living_recommendation_rests_on_stays_for_the_order_it_may_lead_to(
    lake: Lake, database: Database
) -> None:
    """Its evidence may be ninety days older than itself, and it lives for forty-five."""
    for name, expires in (("living", NOON + timedelta(days=1)), ("dead", NOON - timedelta(days=1))):
        recommend(lake, name, 40, expires_at=expires)
        for layer in ("macro_impacts", "competitive_signals"):
            table, key = TABLES[layer]
            lake.merge(table, [filled(table, day=days_ago(125).isoformat(), **{key: f"{name} {layer}"})])
            evidence = {"layer": layer.split("_")[0], "source_record_id": f"{name} {layer}", "recommendation_id": name}
            row = filled(RECOMMENDATION_EVIDENCE, day=days_ago(40).isoformat(), rank=5 + len(layer), **evidence)
            lake.merge(RECOMMENDATION_EVIDENCE, [row])
    forget_all(pipeline_at(NOON, lake, database))
    assert ids(lake, "macro_impacts") == {"living macro_impacts"}
    assert ids(lake, "competitive_signals") == {"living competitive_signals"}


@pytest.mark.parametrize("killed_at", [0, 1, 2, 3, 4])
def test_killed_between_any_two_commits_it_goes_on(
    lake: Lake, database: Database, monkeypatch: pytest.MonkeyPatch, killed_at: int
) -> None:
    for days in (10, 91, 120):
        recommend(lake, f"rec{days}", days)
    records(lake, 10, 91, 120)
    pipeline = pipeline_at(NOON, lake, database)
    commits = iter(range(100))
    delete = Lake.delete

    def dying(self: Lake, table: LakeTable, predicate: str) -> int:
        if next(commits) == killed_at:
            raise KeyboardInterrupt
        return delete(self, table, predicate)

    with monkeypatch.context() as patched:
        patched.setattr(Lake, "delete", dying)
        try:
            forget_all(pipeline)
        except KeyboardInterrupt:
            assert ids(lake, "recommendations") <= ids(lake, "recommendation_evidence"), "none without evidence"
    forget_all(pipeline)
    assert ids(lake, "recommendations") == ids(lake, "recommendation_evidence") == {"rec10"}
    assert ids(lake, "macro_impacts") == ids(lake, "competitive_signals") == {"r10"}


# The schedule and its job.


def metric(database: Database, at: datetime) -> None:
    database.execute(
        """
        INSERT INTO model_performance_metrics (model, agent, metric, value, samples, at) VALUES ('m', 'a', 'old', 1, 1, %s)
        """,
        (at,),
    )


def test_the_schedule_asks_where_something_is_old_and_says_what(
    instance: dg.DagsterInstance, lake: Lake, database: Database
) -> None:
    pipeline = pipeline_at(NOON, lake, database)
    forget_all(pipeline)
    assert said(on_schedule(retention, instance, pipeline)) == "no table has rows that are older than its retention"
    metric(database, LONG_GONE)
    request = on_schedule(retention, instance, pipeline)
    assert isinstance(request, dg.RunRequest)
    assert request.tags["stonks/why"] == "old rows of model_performance_metrics"
    run = dg.DagsterRun(job_name="retention", status=dg.DagsterRunStatus.STARTED, tags={"stonks/kind": "retention"})
    instance.add_run(run)
    assert f"retention run {run.run_id[:8]} is not finished" == said(on_schedule(retention, instance, pipeline))


def test_the_job_forgets_and_reports_by_table(lake: Lake, database: Database) -> None:
    metric(database, LONG_GONE)
    records(lake, 0, 91)
    recommend(lake, "rec91", 91)
    pipeline = pipeline_at(NOON, lake, database)
    job = build_definitions(resource(pipeline)).resolve_job_def("retention")
    with dg.DagsterInstance.ephemeral() as instance:
        result = job.execute_in_process(instance=instance)
        assert result.success
    reported: dict[str, Any] = {}
    for step in result.get_step_success_events():
        for output in result.events_for_node(step.node_name):
            if output.is_successful_output:
                reported |= {name: value.value for name, value in output.step_output_data.metadata.items()}
    assert reported["model_performance_metrics"] == 1
    assert {name: reported[name] for name in LAKE_TABLES} == {
        "macro_impacts": 1,
        "competitive_signals": 1,
        "recommendations": 1,
        "recommendation_evidence": 2,
    }
    limits = current_cutoffs(pipeline)
    assert (rows_to_forget(pipeline, limits), days_to_forget(pipeline, limits)) == ([], [])
