"""One side of the comparison: a lake and a database of its own, and everything derived computed on them."""

import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.dataset as ds

from stonks_assets.aggregation.competitive_step import materialise_competitive_signals
from stonks_assets.aggregation.projections_step import materialise_projections
from stonks_assets.aggregation.signals_step import materialise_signals
from stonks_assets.aggregation.trends_step import materialise_trends
from stonks_assets.cycle import Stage
from stonks_assets.extraction.macro_step import materialise_macro_impacts
from stonks_assets.outcomes.step import materialise_outcomes
from stonks_assets.parsing.parse import DOCUMENT_TYPES
from stonks_assets.parsing.step import materialise_documents
from stonks_assets.pipeline import Pipeline
from stonks_assets.recommendation.step import materialise_recommendations
from stonks_audit.lookahead.stores import OverLake, scratch_database
from stonks_core.clock import ManualClock
from stonks_core.settings import Settings
from stonks_core.stores.lake import gold_tables, silver_tables
from stonks_core.stores.lake.action_tables import CORPORATE_ACTIONS
from stonks_core.stores.lake.bronze_tables import raw_table
from stonks_core.stores.lake.lake import Lake
from stonks_core.stores.lake.location import LakeLocation
from stonks_core.stores.lake.outcome_tables import OUTCOMES
from stonks_core.stores.lake.tables import UTC_MICROS, LakeTable

READING: Mapping[str, Stage] = {"documents": materialise_documents}
SILVER: Mapping[str, Stage] = {
    "macro_impacts": materialise_macro_impacts,
    "competitive_signals": materialise_competitive_signals,
    "signals": materialise_signals,
}
GOLD: Mapping[str, Stage] = {
    "trend_windows": materialise_trends,
    "trend_projections": materialise_projections,
    "recommendations": materialise_recommendations,
    "outcomes": materialise_outcomes,
}
DERIVED: Mapping[LakeTable, str] = {
    silver_tables.MACRO_IMPACTS: "macro_impacts",
    silver_tables.COMPETITIVE_SIGNALS: "competitive_signals",
    silver_tables.SIGNALS: "signals",
    gold_tables.TREND_WINDOWS: "trend_windows",
    gold_tables.TREND_EVIDENCE: "trend_evidence",
    gold_tables.TREND_HISTORY: "trend_history",
    gold_tables.TREND_PROJECTIONS: "trend_projections",
    gold_tables.RECOMMENDATIONS: "recommendations",
    gold_tables.RECOMMENDATION_EVIDENCE: "recommendation_evidence",
    OUTCOMES: "outcomes",
}
"""Computed anew on both sides, with the asset that each is named after."""
PARSED = (silver_tables.DOCUMENTS, silver_tables.DOCUMENT_COMPANY_MENTIONS)
RAW = tuple(raw_table(source_type) for source_type in DOCUMENT_TYPES)
TOLD = (silver_tables.IMPACT_RECORDS, silver_tables.GLOBAL_EVENTS)
PRICED = (silver_tables.MARKET_SNAPSHOTS, CORPORATE_ACTIONS)
GIVEN = (*TOLD, *PRICED, *PARSED, *RAW)
"""Taken as they are: what was fetched, and what a model read in it (its answers are recorded, not computed)."""
_OWN = frozenset(table.name for table in DERIVED)
_PARSED = frozenset(table.name for table in PARSED)


@dataclass(frozen=True)
class Stages:
    """What is computed, in order; an audit of a changed stage hands in its own."""

    reading: Mapping[str, Stage]
    silver: Mapping[str, Stage]
    gold: Mapping[str, Stage]


AS_THEY_ARE = Stages(READING, SILVER, GOLD)


@dataclass(frozen=True)
class Side:
    """A lake and what stages need around it."""

    name: str
    folder: Path
    lake: Lake
    pipeline: Pipeline
    clock: ManualClock

    def refine(self, stages: Stages, days: Sequence[date], at: datetime) -> None:
        """Days from events to signals, as far as they were known at an instant."""
        self._present(at)
        for day in days:
            for stage in stages.silver.values():
                stage(self.pipeline, day, at)

    def conclude(self, stages: Stages, at: datetime) -> None:
        """What is computed for an instant, from trends to outcomes."""
        self._present(at)
        for stage in stages.gold.values():
            stage(self.pipeline, at.date(), at)

    def read(self, stages: Stages, at: datetime) -> Lake:
        """Parse the instant's day anew, from its raw rows, into a lake of its own."""
        self._present(at)
        folder = self.folder / "parsed" / f"{at:%Y%m%dT%H%M%S}"
        held = self.lake
        lake = held.beside(folder, _PARSED) if isinstance(held, OverLake) else OverLake(held.location, folder, _PARSED)
        pipeline = Pipeline(self.pipeline.settings, lake, self.pipeline.database, self.clock)
        for stage in stages.reading.values():
            stage(pipeline, at.date(), at)
        return lake

    def _present(self, at: datetime) -> None:
        self.clock.advance_to(max(at, self.clock.now()))

    def noted(self) -> list[str]:
        """What stages noted as failed: a computation that was cut short says nothing about what it left out."""
        rows = self.pipeline.database.fetch(
            "SELECT stage, item, error FROM failures WHERE status = 'open' ORDER BY 1, 2"
        )
        return [f"{self.name}: {row['stage']} noted of {row['item']}: {row['error']}" for row in rows]


@contextmanager
def sides(settings: Settings, database: str, source: Lake, folder: Path, start: datetime) -> Iterator["Sides"]:
    """The truncated side, the whole one and the one with hindsight, all without anything derived yet."""
    with ExitStack() as stack:
        made = Sides(settings, database, folder, start, stack)
        made.truncated = made.side("truncated", Lake(LakeLocation(str(folder / "truncated"))))
        whole = OverLake(source.location, folder / "whole", _OWN)
        made.whole = made.side("whole", whole)
        made.hindsight = made.side("hindsight", whole.beside(folder / "hindsight", _OWN))
        yield made


class Sides:
    """Makes sides, and copies of the truncated one for planting."""

    truncated: Side
    whole: Side
    hindsight: Side

    def __init__(self, settings: Settings, database: str, folder: Path, start: datetime, stack: ExitStack) -> None:
        self._settings, self._database, self._folder = settings, database, folder
        self._start, self._stack = start, stack

    def side(self, name: str, lake: Lake, stack: ExitStack | None = None) -> Side:
        """A side over a lake, with a database session of its own."""
        database = (stack or self._stack).enter_context(scratch_database(self._settings, self._database))
        clock = ManualClock(self._start)
        pipeline = Pipeline(self._settings, lake, database, clock)
        return Side(name, self._folder / f"{name} side", lake, pipeline, clock)

    @contextmanager
    def copied(self, name: str) -> Iterator[Side]:
        """A copy of the truncated side as it stands, gone at the end of the block."""
        folder = self._folder / name
        shutil.copytree(self._folder / "truncated", folder)
        with ExitStack() as stack:
            yield self.side(name, Lake(LakeLocation(str(folder))), stack=stack)
        shutil.rmtree(folder)

    def foresee(self, stages: Stages, first: date, last: datetime) -> None:
        """Give the side with hindsight what a running system has later: settled days, and conclusions of after the last instant."""
        settled = timedelta(days=2)
        for day in told_days(self.whole.lake, first, last.date() + settled):
            self.hindsight.refine(stages, [day], datetime.combine(day, time(), UTC) + settled)
        self.hindsight.conclude(stages, last + timedelta(days=1))

    def extend(self, tables: Mapping[LakeTable, tuple[date, date]], after: datetime | None, to: datetime) -> int:
        """Bring what became known after an instant and up to another into the truncated lake; how many rows."""
        count = 0
        for table, (first, last) in tables.items():
            for span in _spans(self.whole.lake, table, first, last):
                fresh = None if after is None else ds.field(str(table.knowledge)) > pa.scalar(after, UTC_MICROS)
                rows = self.whole.lake.read(table, days=span, as_of=to, where=fresh)
                count += self.truncated.lake.append(table, rows).inserted if rows.num_rows else 0
        return count


def told_days(lake: Lake, first: date, last: date) -> list[date]:
    """The days between two (both included) of which a model has read something."""
    held = {date.fromisoformat(part["day"]) for table in TOLD for part in lake.ensure(table).partitions()}
    return sorted(day for day in held if first <= day <= last)


def _spans(lake: Lake, table: LakeTable, first: date, last: date, size: int = 30) -> Iterator[tuple[date, date]]:
    """The days that a table has between two days, in runs of at most `size`."""
    held = sorted({date.fromisoformat(part["day"]) for part in lake.ensure(table).partitions()})
    days = [day for day in held if first <= day <= last]
    for begin in range(0, len(days), size):
        run = days[begin : begin + size]
        yield run[0], run[-1]
