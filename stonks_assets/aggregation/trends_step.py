"""Step: signals become trends of every ticker and window, with their evidence, history and market context."""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import pyarrow as pa
import pyarrow.dataset as ds

from stonks_assets.aggregation.arrays import picked, strings
from stonks_assets.aggregation.due import WEIGHTS, WITNESS, LastTrend, due_tickers, ground, last_trends, touched
from stonks_assets.aggregation.evidence import EVIDENCE_SCHEMA
from stonks_assets.aggregation.layers import LAYER_TABLES, READ_FAILURES, layer_weights, unreadable
from stonks_assets.aggregation.market import Context, contexts
from stonks_assets.aggregation.parts import ENCODED, company_parts
from stonks_assets.aggregation.trends import TREND_SCHEMA, aggregate, trend_id
from stonks_assets.aggregation.weights import LayerWeights
from stonks_assets.aggregation.windows import LONGEST, SHAPES
from stonks_assets.pipeline import Pipeline, StepReport
from stonks_core.prices.reading import PRICE_TABLES, read_bars
from stonks_core.stores.lake.gold_tables import TREND_EVIDENCE, TREND_HISTORY, TREND_WINDOWS
from stonks_core.stores.lake.silver_tables import SIGNALS
from stonks_core.stores.lake.streaming import changes, count_rows, stream
from stonks_core.vocabulary import Window

STAGE = "trend_windows"
REFRESH = timedelta(minutes=15)
_MARKET_REACH = LONGEST + timedelta(days=10)
SIGNAL_COLUMNS = (
    *("signal_id", "ticker", "layer", "document_id", "cluster_id", "sentiment", "impact", "confidence", "novelty"),
    *("credibility", "duration", "published_at", "available_at"),
)
_LAST_COLUMNS = ("ticker", "window", "positive", "negative", "total_weight", "input_versions", "as_of")


def materialise_trends(pipeline: Pipeline, day: date, as_of: datetime, refresh: timedelta = REFRESH) -> StepReport:
    """Compute the trends that are due at `as_of` and write them, evidence first and history last.

    History tells the next call what was computed, so that a call that was killed is made good by the next. Rows stand
    under the UTC date of `as_of`; `day` is the partition that asked for them.
    """
    broken = unreadable(pipeline, pipeline.clock.now())
    today = as_of.date()
    weights = layer_weights(pipeline)
    versions = _versions(pipeline, broken, weights)
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
    computed = _compute(pipeline, as_of, intraday_since, weights, last, refresh)
    due = computed.due
    figures: dict[str, float | int | str] = {
        "partition": day.isoformat(),
        "signals": computed.read,
        "tickers_due": len(due),
        "degraded": ",".join(broken),
    }
    if not due:
        return StepReport(written={TREND_HISTORY.name: 0}, failed=len(broken), figures=figures)
    rows = _rows(pipeline, computed.trends, as_of, intraday_since, broken, versions)
    _withdraw(pipeline, as_of, {ticker for ticker in due if ticker in last and last[ticker].as_of == as_of})
    evidence = _of_day(computed.evidence, today)
    written = {TREND_EVIDENCE.name: pipeline.lake.merge(TREND_EVIDENCE, evidence).changed}
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
            pipeline.lake, SIGNALS, columns=SIGNAL_COLUMNS, days=days, as_of=as_of, encoded=ENCODED, only=only
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


def _rows(
    pipeline: Pipeline, trends: pa.Table, as_of: datetime, intraday_since: datetime, broken: list[str], versions: str
) -> pa.Table:
    """The trends as rows of the lake: with the market around them and the versions they were computed from."""
    names = strings(trends, "ticker")
    market, without = _market(pipeline, sorted(set(names)), as_of, intraday_since)
    found = [market[ticker] for ticker in names]
    windows = [Window(name) for name in strings(trends, "window")]
    size = trends.num_rows
    beside: dict[str, pa.Array[Any]] = {
        "window_return": pa.array([c.returns[w] for c, w in zip(found, windows, strict=True)], pa.float64()),
        "volume_ratio": pa.array([c.volume_ratio for c in found], pa.float64()),
        "volatility": pa.array([c.volatility for c in found], pa.float64()),
        "reference_price": pa.array([c.reference_price for c in found], pa.float64()),
        "degraded": pa.array([",".join([*broken, *without])] * size, pa.string()),
        "input_versions": pa.array([versions] * size, pa.string()),
    }
    for name, column in beside.items():
        trends = trends.append_column(name, column)
    return _of_day(trends, as_of.date())


def _market(
    pipeline: Pipeline, tickers: list[str], as_of: datetime, intraday_since: datetime
) -> tuple[dict[str, Context], list[str]]:
    """Each ticker's market context, and `market` where the bars cannot be read: trends stand without them too."""
    since = {window: shape.since(as_of, intraday_since) for window, shape in SHAPES.items()}
    try:
        days = ((as_of - _MARKET_REACH).date(), as_of.date())
        bars = read_bars(pipeline.lake, days, as_of, tickers=tickers, running=True)
    except READ_FAILURES as error:
        message = f"trends of {as_of.isoformat()} stand without prices: market_snapshots cannot be read: {error}"
        pipeline.failures.record(STAGE, "market", message, pipeline.clock.now())
        return {ticker: Context(None, None, None, dict.fromkeys(since)) for ticker in tickers}, ["market"]
    return contexts(bars, as_of, tickers, since, pipeline.calendar.sessions_a_year), []


def _versions(pipeline: Pipeline, broken: list[str], weights: LayerWeights) -> str:
    """What the trends rest on at least: taken before the tables are read, so that nothing that comes then is missed."""
    tables = [SIGNALS, *PRICE_TABLES, *(t for layer, t in LAYER_TABLES.items() if layer not in broken)]
    versions: dict[str, int | str] = {table.name: pipeline.lake.version(table) for table in tables}
    return json.dumps(versions | {WEIGHTS: weights.stamp}, sort_keys=True)


def _of_day(rows: pa.Table, day: date) -> pa.Table:
    return rows.append_column("day", pa.array([day.isoformat()] * rows.num_rows, pa.string()))
