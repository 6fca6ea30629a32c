"""The audit finds, by name, what a leaking stage was built on. That honest ones pass is shown by the command's own test."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from stonks_assets.aggregation import trends_step
from stonks_assets.cycle import Stage
from stonks_assets.pipeline import Pipeline, StepReport
from stonks_audit.lookahead.audit import HINDSIGHT, IN_TIME, PLANTED, UNFINISHED, WHOLE, Audited, audit
from stonks_audit.lookahead.sides import AS_THEY_ARE, GOLD, SILVER, Stages
from stonks_core.settings import load_settings
from stonks_core.settings.slices import Postgres
from stonks_core.stores.lake.lake import Lake
from stonks_core.stores.lake.streaming import stream
from stonks_core.stores.lake.tables import LakeTable
from tests.audit.conftest import NOW, World

AT = NOW - timedelta(hours=2)
"""Before the last hours' news, which the whole lake holds."""


class Ahead(Lake):
    """A lake, one of whose tables is read as of some time later (or earlier) than asked for."""

    def __init__(self, lake: Lake, table: str, ahead: timedelta) -> None:
        super().__init__(lake.location)
        self._lake, self._table, self._ahead = lake, table, ahead

    def ensure(self, table: LakeTable) -> Any:
        return self._lake.ensure(table)

    def read(self, table: LakeTable, *, as_of: datetime | None = None, **options: Any) -> pa.Table:
        at = as_of + self._ahead if as_of is not None and table.name == self._table else as_of
        return super().read(table, as_of=at, **options)


def undated(lake: Lake, table: LakeTable, **options: Any) -> Iterator[pa.RecordBatch]:
    """A stream that forgets when its rows became known: the day they were published seems good enough."""
    for batch in stream(lake, table, **{**options, "as_of": None}):
        place = batch.schema.get_field_index("available_at")
        yield batch.set_column(place, batch.schema.field(place), batch["published_at"])


def leaking(
    stages: Mapping[str, Stage], name: str, kind: type[Ahead], table: str, ahead: timedelta
) -> dict[str, Stage]:
    """The stages, one of which sees a table otherwise than it should."""

    def stage(pipeline: Pipeline, day: date, as_of: datetime) -> StepReport:
        return stages[name](replace(pipeline, lake=kind(pipeline.lake, table, ahead)), day, as_of)

    return {**stages, name: stage}


Run = Callable[..., Audited]


@pytest.fixture
def run(story: World, postgres: Postgres, tmp_path: Path) -> Run:
    settings = replace(load_settings({"MARKET_CALENDAR": "24/7"}), postgres=postgres)

    def audited(*at: datetime, stages: Stages = AS_THEY_ARE, tickers: frozenset[str] = frozenset()) -> Audited:
        name = story.pipeline.database.name
        return audit(settings, name, story.lake, at or (AT,), tmp_path / "audit", stages=stages, tickers=tickers)

    return audited


def test_leaks_are_found_where_they_are(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trends_step, "stream", undated)
    silver = leaking(SILVER, "competitive_signals", Ahead, "impact_records", timedelta(seconds=2))
    done = run(stages=replace(AS_THEY_ARE, silver=silver))
    assert not done.clean
    against = {(leak.asset, leak.against) for leak in done.leaks}
    assert {("competitive_signals", PLANTED), ("trend_history", HINDSIGHT), ("recommendations", HINDSIGHT)} <= against
    assert {asset for asset, _ in against} <= {
        "competitive_signals", "trend_windows", "trend_history", "trend_evidence", "trend_projections",
        "recommendations", "recommendation_evidence",
    }  # fmt: skip
    assert all(leak.as_of == AT for leak in done.leaks)
    by_hindsight = {leak.ticker for leak in done.leaks if (leak.asset, leak.against) == ("trend_history", HINDSIGHT)}
    assert by_hindsight == {"ACME", "BETA"}  # what was fetched late speaks of Acme, and so to its rival


def test_what_is_deaf_and_what_is_early_is_found(run: Run) -> None:
    silver = leaking(SILVER, "signals", Ahead, "impact_records", timedelta(seconds=-1))
    gold = {**GOLD, "outcomes": lambda p, day, as_of: GOLD["outcomes"](p, day, as_of + timedelta(days=2))}
    done = run(NOW - timedelta(days=1), stages=replace(AS_THEY_ARE, silver=silver, gold=gold))
    assert ("trend_history", IN_TIME, "ACME") in {(leak.asset, leak.against, leak.ticker) for leak in done.leaks}
    early = [leak for leak in done.leaks if leak.asset == "outcomes"]
    assert {leak.against for leak in early} >= {WHOLE, UNFINISHED}
    assert {leak.asset for leak in done.leaks} == {"trend_history", "outcomes"}
