"""Every promise of every table, broken in a real Delta table and found by the check that the registry gives."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest
from deltalake import write_deltalake

from stonks_assets.health.rules import HOLDS
from stonks_assets.health.tables import findings, table_checks, written_findings
from stonks_core.stores.lake.fact_tables import FACT_TABLES
from stonks_core.stores.lake.gold_tables import RECOMMENDATION_EVIDENCE, RECOMMENDATIONS, TREND_EVIDENCE, TREND_HISTORY
from stonks_core.stores.lake.lake import Lake
from stonks_core.stores.lake.registry import PIPELINE_TABLES, TABLES
from stonks_core.stores.lake.silver_tables import MARKET_SNAPSHOTS, SIGNALS
from stonks_core.stores.lake.tables import LakeTable
from tests.assets.health.planting import NOON, TODAY, breaches, plant, sound

DAYS = (TODAY, TODAY)
LATER = NOON + timedelta(hours=1)


def problems(lake: Lake, table: LakeTable, as_of: datetime = LATER) -> dict[str, str]:
    """The checks that found something, with what they say; references aside, which rows alone cannot keep."""
    found = findings(lake, table, DAYS, as_of)
    assert found.keys() == table_checks(table).keys()
    return {name: f.problem for name, f in found.items() if f.problem and not name.startswith("refers_to_")}


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_each_promise_that_a_row_can_break_is_found_and_named(lake: Lake, table: LakeTable) -> None:
    plant(lake, table, sound(table), sound(table, 1))
    assert problems(lake, table) == {}
    planted = list(breaches(table))
    plant(lake, table, *(breach.row for breach in planted))
    found = problems(lake, table)
    for breach in planted:
        assert breach.words in found[breach.check], breach
    assert found.keys() == {breach.check for breach in planted}


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_nulls_where_none_may_be_are_found_and_allowed_ones_are_not(lake: Lake, table: LakeTable) -> None:
    plant(lake, table, {**sound(table), **{column.name: None for column in table.columns if column.nullable}})
    assert problems(lake, table) == {}
    needed = [column.name for column in table.columns if not column.nullable]
    plant(lake, table, *({**sound(table, number + 1), name: None} for number, name in enumerate(needed)))
    found = problems(lake, table)
    assert found.keys() == {"no_nulls"}
    assert all(f"{name} is missing" in found["no_nulls"] for name in needed)


def test_a_finding_names_a_row_its_days_and_what_to_do(lake: Lake) -> None:
    plant(lake, SIGNALS, *({**sound(SIGNALS, n), "sentiment": 1.5 + n} for n in (2, 1)))
    found = findings(lake, SIGNALS, DAYS, LATER)["ranges"]
    assert found.days == ("2026-03-10",)
    assert found.problem == (
        "in 2 rows of signals sentiment is not within [-1, 1], such as sentiment 2.5, day '2026-03-10', "
        "signal_id 'signal_id-0001': mend the stage aggregation, then delete those rows and materialise 2026-03-10 of "
        "signals again"
    )


def test_a_sum_may_be_rounded_past_its_range_but_no_further(lake: Lake) -> None:
    plant(lake, SIGNALS, {**sound(SIGNALS), "sentiment": 1.0 + 1e-12})
    assert problems(lake, SIGNALS) == {}
    plant(lake, SIGNALS, {**sound(SIGNALS, 1), "sentiment": 1.0 + 1e-6})
    assert problems(lake, SIGNALS).keys() == {"ranges"}


def test_a_key_that_stands_twice_is_found_in_its_days_only(lake: Lake) -> None:
    plant(lake, SIGNALS, sound(SIGNALS), sound(SIGNALS), sound(SIGNALS, 1))
    said = problems(lake, SIGNALS)["unique_key"]
    assert said.startswith(
        "1 keys of signals stand more than once, such as day '2026-03-10', signal_id 'signal_id-0000'"
    )
    tomorrow = TODAY + timedelta(days=1)
    assert findings(lake, SIGNALS, (tomorrow, tomorrow), LATER)["unique_key"] == HOLDS


def test_a_table_of_another_schema_is_named_and_its_rows_are_not_looked_at(lake: Lake) -> None:
    plant(lake, SIGNALS, {**sound(SIGNALS), "sentiment": 7.0})
    more = pa.table({"day": [TODAY.isoformat()], "extra": [1]})
    write_deltalake(lake.location.table_uri(SIGNALS.name), more, mode="append", schema_mode="merge")
    found = {name: f.problem for name, f in findings(lake, SIGNALS, DAYS, LATER).items() if f.problem}
    assert found.keys() == {"declared_schema"}
    assert "has extra, which the registry does not know" in found["declared_schema"]


def test_a_column_of_another_type_is_named(lake: Lake) -> None:
    other = replace(SIGNALS, columns=(*SIGNALS.columns[:-1], replace(SIGNALS.columns[-1], type=pa.string())))
    lake.ensure(other)
    said = findings(Lake(lake.location), SIGNALS, DAYS, LATER)["declared_schema"].problem
    assert "has available_at as string instead of timestamp[us, tz=UTC]" in said


def test_an_empty_table_is_well(lake: Lake) -> None:
    assert all(problems(lake, table) == {} for table in (SIGNALS, MARKET_SNAPSHOTS, *FACT_TABLES))


# References.


def refers(lake: Lake, table: LakeTable, to: str, as_of: datetime = LATER) -> str:
    return findings(lake, table, DAYS, as_of)[f"refers_to_{to}"].problem


def trend(name: str, **more: Any) -> dict[str, Any]:
    return {**sound(TREND_EVIDENCE), "trend_id": name, **more}


def test_evidence_of_a_trend_that_does_not_exist_is_found_once_it_has_settled(lake: Lake) -> None:
    plant(lake, TREND_HISTORY, {**sound(TREND_HISTORY), "trend_id": "there"})
    plant(lake, TREND_EVIDENCE, trend("there"), trend("gone", rank=2))
    said = refers(lake, TREND_EVIDENCE, "trend_history")
    assert "in a row of trend_evidence trend_id has no row in trend_history.trend_id, such as trend_id 'gone'" in said
    assert refers(lake, TREND_EVIDENCE, "trend_history", NOON + timedelta(minutes=9)) == ""


def test_what_is_referred_to_may_stand_on_the_day_before(lake: Lake) -> None:
    yesterday = (TODAY - timedelta(days=1)).isoformat()
    plant(lake, TREND_HISTORY, {**sound(TREND_HISTORY), "trend_id": "t", "day": yesterday})
    plant(lake, TREND_EVIDENCE, trend("t"))
    assert refers(lake, TREND_EVIDENCE, "trend_history") == ""


def test_a_recommendation_without_evidence_is_found(lake: Lake) -> None:
    plant(lake, RECOMMENDATIONS, sound(RECOMMENDATIONS))
    assert "recommendation_id has no row" in refers(lake, RECOMMENDATIONS, "recommendation_evidence")
    key = sound(RECOMMENDATIONS)["recommendation_id"]
    plant(lake, RECOMMENDATION_EVIDENCE, {**sound(RECOMMENDATION_EVIDENCE), "recommendation_id": key})
    assert refers(lake, RECOMMENDATIONS, "recommendation_evidence") == ""


def test_every_reference_names_columns_that_exist() -> None:
    by_name = {table.name: table for table in TABLES}
    for table in TABLES:
        for reference in table.references:
            assert by_name[reference.table].column(reference.to).type == table.column(reference.column).type
        for pair in table.ordered:
            assert table.column(pair[0]).type == table.column(pair[1]).type


# What was just written.


def test_only_breaches_in_files_that_were_written_since_are_told(lake: Lake) -> None:
    plant(lake, SIGNALS, {**sound(SIGNALS), "sentiment": 7.0}, {**sound(SIGNALS, 1), "layer": None})
    long_ago, soon = datetime(2020, 1, 1, tzinfo=UTC), datetime.now(UTC) + timedelta(minutes=1)
    assert written_findings(lake, SIGNALS, long_ago).keys() == {"ranges", "no_nulls"}
    assert written_findings(lake, SIGNALS, soon) == {}


def test_a_table_of_another_schema_is_told_in_the_step_too(lake: Lake) -> None:
    other = replace(SIGNALS, columns=(*SIGNALS.columns[:-1], replace(SIGNALS.columns[-1], type=pa.string())))
    lake.merge(other, [{**sound(SIGNALS), "available_at": "some day"}])
    told = written_findings(Lake(lake.location), SIGNALS, datetime(2020, 1, 1, tzinfo=UTC))
    assert told.keys() == {"declared_schema"}


def test_every_table_of_the_pipeline_declares_why_it_blocks_or_only_warns() -> None:
    warn_only = {table.name for table in PIPELINE_TABLES if not table.blocks}
    raw = {table.name for table in PIPELINE_TABLES if table.name.startswith("raw_")}
    assert warn_only == raw | {"documents", "document_company_mentions", "document_intelligence"}
    assert not any(table.blocks for table in FACT_TABLES)
