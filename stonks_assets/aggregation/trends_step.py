"""Step: signals become trends of every ticker and window, with their evidence, history and market context."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import pyarrow as pa
import pyarrow.dataset as ds

from stonks_assets.aggregation.arrays import picked
from stonks_assets.aggregation.due import WITNESS, LastTrend, due_tickers, ground, last_trends, touched
from stonks_assets.aggregation.evidence import EVIDENCE_SCHEMA
from stonks_assets.aggregation.layers import LAYER_TABLES, degraded, layer_weights, unreadable
from stonks_assets.aggregation.market import Context
from stonks_assets.aggregation.parts import ENCODED, company_parts
from stonks_assets.aggregation.provenance import FORMULAS, Provenance
from stonks_assets.aggregation.trend_rows import SIGNAL_COLUMNS, market_around, of_day, trend_rows, without_market
from stonks_assets.aggregation.trends import TREND_SCHEMA, aggregate, trend_id
from stonks_assets.aggregation.weights import LayerWeights
from stonks_assets.aggregation.windows import LONGEST
from stonks_assets.pipeline import Pipeline, StepReport
from stonks_core.columns import strings
from stonks_core.prices.reading import PRICE_TABLES
from stonks_core.stores.failing import STORE_FAILURES, in_words
from stonks_core.stores.lake.gold_tables import TREND_EVIDENCE, TREND_HISTORY, TREND_WINDOWS
from stonks_core.stores.lake.pinned import PinnedLake
from stonks_core.stores.lake.silver_tables import SIGNALS
from stonks_core.stores.lake.streaming import changes, count_rows, stream
from stonks_core.vocabulary import Window

STAGE = "trend_windows"
REFRESH = timedelta(minutes=15)
_LAST_COLUMNS = ("ticker", "window", "positive", "negative", "total_weight", "input_versions", "as_of")


def materialise_trends(pipeline: Pipeline, day: date, as_of: datetime, refresh: timedelta = REFRESH) -> StepReport:
    """Compute the trends that are due at `as_of` and write them, evidence first and history last.

    History tells the next call what was computed, so that a call that was killed is made good by the next. Rows stand
    under the UTC date of `as_of`; `day` is the partition that asked for them.
    """
    now = pipeline.clock.now()
    broken = unreadable(pipeline, now)
    lacking = degraded(pipeline, broken, now)
    today = as_of.date()
    layers = (table for layer, table in LAYER_TABLES.items() if layer not in broken)
    lake = PinnedLake.now(pipeline.lake, (SIGNALS, *PRICE_TABLES, *layers), STORE_FAILURES)
    weights = layer_weights(pipeline)
    last = last_trends(
        pipeline.lake.read(
            TREND_HISTORY,
            days=(today - timedelta(days=1), today),
            as_of=as_of,
            columns=_LAST_COLUMNS,
            where=ds.field("window") == str(WITNESS),
        )
    )
    intraday_since = pipeline.calendar.previous_close(as_of)
    computed = _compute(pipeline, lake, as_of, intraday_since, weights, last, refresh)
    due = computed.due
    figures: dict[str, float | int | str] = {
        "partition": day.isoformat(),
        "signals": computed.read,
        "tickers_due": len(due),
        "degraded": ",".join(lacking),
    }
    if not due:
        return StepReport(written={TREND_HISTORY.name: 0}, failed=len(broken), figures=figures)
    trends = computed.trends
    tickers = sorted(set(strings(trends, "ticker")))
    market = _market(pipeline, lake, tickers, as_of)
    without = ",".join(lacking if market is not None else [*lacking, "market"])
    provenance = Provenance(lake.versions, weights, pipeline.calendar.name, FORMULAS)
    rows = trend_rows(trends, market or without_market(tickers), as_of, without, provenance.text())
    _withdraw(pipeline, as_of, {ticker for ticker in due if ticker in last and last[ticker].as_of == as_of})
    written = {TREND_EVIDENCE.name: pipeline.lake.merge(TREND_EVIDENCE, of_day(computed.evidence, today)).changed}
    written[TREND_WINDOWS.name] = pipeline.lake.merge(TREND_WINDOWS, rows, update=True).changed
    figures["ended"] = _end(pipeline, as_of, due, rows)
    written[TREND_HISTORY.name] = pipeline.lake.merge(TREND_HISTORY, rows).changed
    return StepReport(written=written, failed=len(broken), figures=figures)


@dataclass(frozen=True)
class _Computed:
    """The companies that were due, their trends and evidence, and how many signals were read for it."""

    due: frozenset[str]
    trends: pa.Table
    evidence: pa.Table
    read: int


def _compute(
    pipeline: Pipeline,
    pinned: PinnedLake,
    as_of: datetime,
    intraday_since: datetime,
    weights: LayerWeights,
    last: Mapping[str, LastTrend],
    refresh: timedelta,
) -> _Computed:
    """The trends of the companies that are due, a part of the companies after the other."""
    days = ((as_of - LONGEST).date() - timedelta(days=1), as_of.date())
    candidates = _candidates(pipeline, days, as_of, weights, last, refresh)
    due: set[str] = set()
    trends, evidence, read = [TREND_SCHEMA.empty_table()], [EVIDENCE_SCHEMA.empty_table()], 0
    if candidates is None or candidates:
        only = None if candidates is None else ("ticker", candidates)
        batches = stream(
            pipeline.lake,
            SIGNALS,
            columns=SIGNAL_COLUMNS,
            days=days,
            as_of=as_of,
            encoded=ENCODED,
            only=only,
            version=pinned.version(SIGNALS),
        )
        for part in company_parts(batches, count_rows(pipeline.lake, SIGNALS, days)):
            read += part.num_rows
            mine = due_tickers(part, as_of, weights, last, refresh)
            if mine:
                due |= mine
                found = aggregate(picked(part, "ticker", mine), as_of, weights, intraday_since)
                trends.append(found[0])
                evidence.append(found[1])
    return _Computed(frozenset(due), pa.concat_tables(trends), pa.concat_tables(evidence), read)


def _candidates(
    pipeline: Pipeline,
    days: tuple[date, date],
    as_of: datetime,
    weights: LayerWeights,
    last: Mapping[str, LastTrend],
    refresh: timedelta,
) -> set[str] | None:
    """The companies that may be due: those whose trend is old, and those touched since the newest one; None for all."""
    stands = ground(last, as_of, weights, refresh)
    if stands is None:
        return None
    found = changes(pipeline.lake, SIGNALS, stands.version, stands.known, as_of=as_of, days=days)
    if found is None:
        return None
    return (last.keys() - stands.young) | touched(found.come, found.gone, found.awaited)


def _withdraw(pipeline: Pipeline, as_of: datetime, tickers: Collection[str]) -> None:
    """Take back what was computed for this very instant from other signals; history first, so that a kill is seen."""
    if not tickers:
        return
    ids = ", ".join(f"'{trend_id(ticker, window, as_of)}'" for ticker in sorted(tickers) for window in Window)
    for table in (TREND_HISTORY, TREND_WINDOWS, TREND_EVIDENCE):
        pipeline.lake.delete(table, f"day = '{as_of.date().isoformat()}' AND trend_id IN ({ids})")


def _end(pipeline: Pipeline, as_of: datetime, due: Collection[str], rows: pa.Table) -> int:
    """Take today's trends that nothing counts in any more out of the newest ones (history keeps them); how many."""
    today = as_of.date()
    stored = pipeline.lake.read(
        TREND_WINDOWS,
        days=(today, today),
        as_of=as_of,
        columns=("trend_id", "ticker", "window"),
        where=ds.field("ticker").isin(pa.array(sorted(due), pa.string())),
    )
    alive = set(strings(rows, "trend_id"))
    ended = [trend for trend in strings(stored, "trend_id") if trend not in alive]
    if ended:
        listed = ", ".join(f"'{trend}'" for trend in ended)
        pipeline.lake.delete(TREND_WINDOWS, f"day = '{today.isoformat()}' AND trend_id IN ({listed})")
    return len(ended)


def _market(pipeline: Pipeline, lake: PinnedLake, tickers: list[str], as_of: datetime) -> Mapping[str, Context] | None:
    """Each ticker's market context, or None where the bars cannot be read: trends stand without them too."""
    try:
        found = market_around(lake, pipeline.calendar, tickers, as_of)
    except STORE_FAILURES as error:
        message = (
            f"trends of {as_of.isoformat()} stand without prices: market_snapshots cannot be read: {in_words(error)}"
        )
        pipeline.failures.record(STAGE, "market", message, pipeline.clock.now())
        return None
    pipeline.failures.resolve(STAGE, ["market"], pipeline.clock.now())
    return found
