"""The ingestion stage: ask every active source of one type for a day, and commit what is new to the raw table.

A source that fails is on record (`ingestion_runs`, `source_states`) and harms no other; what had been fetched before it
failed is kept. Sources are asked side by side, and one committer writes what they bring.
"""

import logging
from collections.abc import Collection, Sequence, Set
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from stonks_assets.ingestion.cadence import asked_pause, due_sources
from stonks_assets.ingestion.committing import Committer
from stonks_assets.ingestion.protocol import Adapter, Ask, RawItem
from stonks_assets.ingestion.run_record import Run, memory_of, record
from stonks_assets.ingestion.single_writer import single_writer
from stonks_assets.ingestion.sources import adapter_for
from stonks_assets.pipeline import Pipeline, StepReport
from stonks_core.errors import PermanentError, StonksError, TransientError
from stonks_core.registry.universe import Source, Universe
from stonks_core.stores.lake.bronze_tables import raw_table
from stonks_core.vocabulary import SourceType

LOG = logging.getLogger(__name__)
BATCH_ITEMS, BATCH_BYTES = 200, 32_000_000


class SourcesDownError(StonksError):
    """Every source of a type failed; the asset fails with their sentences."""


@dataclass
class _Tally:
    seen: int = 0
    new: int = 0
    newest: datetime | None = None
    reported: dict[str, str] = field(default_factory=dict)
    error: str = ""
    error_class: str = ""
    asked_pause: timedelta = timedelta(0)
    memory: dict[str, str] = field(default_factory=dict)


def ingest(pipeline: Pipeline, source_type: SourceType, day: date, as_of: datetime) -> StepReport:
    """Bring one source type's items of a feed day as far as `as_of`; see `ingest_days`."""
    return ingest_days(pipeline, source_type, (day,), as_of)


def ingest_days(
    pipeline: Pipeline, source_type: SourceType, days: Sequence[date], as_of: datetime, *, due_only: bool = False
) -> StepReport:
    """Bring one source type's items of some feed days as far as `as_of`; with `due_only` from the sources that are due.

    One process at a time ingests a source type: where another one does, nothing is asked and the report says who has it.
    Raises SourcesDownError when at least one source failed and none succeeded; what came before it failed is kept.
    """
    with single_writer(pipeline.database, source_type) as turn:
        if not turn.had:
            return StepReport({raw_table(source_type).name: 0}, figures={"passed_over": turn.reason})
        return _ingest(pipeline, source_type, days, as_of, due_only=due_only)


def _ingest(
    pipeline: Pipeline, source_type: SourceType, days: Sequence[date], as_of: datetime, *, due_only: bool
) -> StepReport:
    universe = pipeline.universe(as_of)
    sources = universe.sources_of(source_type)
    if due_only:
        due = due_sources(pipeline.database, pipeline.clock.now())
        sources = tuple(s for s in sources if s.source_id in due)
    if not sources:
        return StepReport({raw_table(source_type).name: 0}, figures={"sources": 0, "down": 0})
    committer = Committer(pipeline, source_type)

    def ask(source: Source) -> list[_Tally]:
        with adapter_for(pipeline, source) as adapter:
            return _ask_days(pipeline, adapter, committer, source, universe, days, as_of)

    with ThreadPoolExecutor(min(len(sources), pipeline.settings.market_data.parallel)) as pool:
        tallies = dict(zip((source.name for source in sources), pool.map(ask, sources), strict=True))
    errors = [f"{name}: {tally.error}" for name, each in tallies.items() for tally in each if tally.error]
    if len(errors) == len(sources):
        span = f"{days[0]}" if len(days) == 1 else f"{days[0]} to {days[-1]}"
        raise SourcesDownError(f"no {source_type} source could be read for {span}: " + "; ".join(errors))
    whole = [tally for each in tallies.values() for tally in each]
    return StepReport(
        {raw_table(source_type).name: sum(tally.new for tally in whole)},
        failed=sum(len(tally.reported) for tally in whole) + len(errors),
        figures={"sources": len(sources), "down": len(errors)},
        down=errors,
    )


def _ask_days(
    pipeline: Pipeline,
    adapter: Adapter,
    committer: Committer,
    source: Source,
    universe: Universe,
    days: Sequence[date],
    as_of: datetime,
) -> list[_Tally]:
    tallies: list[_Tally] = []
    for day in days:
        tallies.append(_ask_source(pipeline, adapter, committer, Asked(source, universe, day, as_of)))
        if tallies[-1].error:
            break  # the other days would fail alike, and count as failures of their own
    return tallies


@dataclass(frozen=True)
class Asked:
    """One source, one feed day, as far as an instant, over the universe of that instant."""

    source: Source
    universe: Universe
    day: date
    as_of: datetime


def _ask_source(pipeline: Pipeline, adapter: Adapter, committer: Committer, asked: Asked) -> _Tally:
    source, day = asked.source, asked.day
    started, tally, waiting = pipeline.clock.now(), _Tally(newest=asked.source.last_published_at), _Waiting()

    def known(item_ids: Collection[str]) -> Set[str]:
        return committer.known(item_ids) | (waiting.names & set(item_ids))

    def report(item: str, sentence: str) -> None:
        tally.reported[item] = sentence
        LOG.info("item %s of source %s: %s", item, source.name, sentence)
        pipeline.failures.record(f"ingest:{source.source_type}", item, sentence, pipeline.clock.now(), day=day)

    def commit() -> None:
        tally.new += committer.commit(source, day, waiting.items)
        arrived = [item.item_id for item in waiting.items if item.item_id not in tally.reported]
        pipeline.failures.resolve(f"ingest:{source.source_type}", arrived, pipeline.clock.now())
        waiting.clear()

    memory = memory_of(pipeline, source)
    ask = Ask(source, day, asked.as_of, asked.universe, known, report, memory, tally.memory.__setitem__)
    try:
        for item in adapter.fetch(ask):
            tally.seen += 1
            tally.newest = max(filter(None, (tally.newest, item.published_at)), default=None)
            waiting.add(item)
            if waiting.full:
                commit()
    except TransientError as failure:
        tally.error, tally.error_class, tally.asked_pause = str(failure), "transient", asked_pause(failure)
    except PermanentError as failure:
        tally.error, tally.error_class = str(failure), "permanent"
    commit()
    if tally.error:
        LOG.warning("source %s (%s) failed for %s: %s", source.name, source.source_type, day, tally.error)
    run = Run(
        source,
        day,
        started,
        pipeline.clock.now(),
        tally.seen,
        tally.new,
        tally.newest,
        tally.error,
        tally.error_class,
        tally.asked_pause,
        tally.memory,
    )
    record(pipeline, run)
    return tally


class _Waiting:
    """Items that are fetched and not committed yet, bounded in number and bytes."""

    def __init__(self) -> None:
        self.items: list[RawItem] = []
        self.names: set[str] = set()
        self._bytes = 0

    @property
    def full(self) -> bool:
        """Whether it is time for a commit."""
        return len(self.items) >= BATCH_ITEMS or self._bytes >= BATCH_BYTES

    def add(self, item: RawItem) -> None:
        """One item more."""
        self.items.append(item)
        self.names.add(item.item_id)
        self._bytes += item.size

    def clear(self) -> None:
        """All are committed."""
        self.items, self.names, self._bytes = [], set(), 0
