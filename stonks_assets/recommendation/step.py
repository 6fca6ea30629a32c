"""Step: trends that nobody has spoken about yet become recommendations, with their evidence down to the sentence."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any

import pyarrow as pa
import pyarrow.dataset as ds

from stonks_assets.aggregation.projections_step import ITEM as PROJECTED
from stonks_assets.aggregation.projections_step import STAGE as PROJECTING
from stonks_assets.aggregation.provenance import Provenance, read_provenance
from stonks_assets.aggregation.windows import SHAPES
from stonks_assets.pipeline import Pipeline, StepReport
from stonks_assets.recommendation import rules
from stonks_assets.recommendation.resolve import LOOKED_UP, Found, sentences
from stonks_assets.recommendation.rewrite import Refused
from stonks_assets.recommendation.rewriter import AGENT as REWRITER
from stonks_assets.recommendation.rewriter import STAGE as REWRITE_STAGE
from stonks_assets.recommendation.rewriter import Rewriter, active_rewriter
from stonks_assets.recommendation.sentence import Sentence
from stonks_assets.recommendation.speaking import (
    TEMPLATE,
    evidence_rows,
    lacking_of,
    recommendation_row,
    spoken,
    words_for,
)
from stonks_core.stores.failing import STORE_FAILURES, in_words
from stonks_core.stores.lake.gold_tables import (
    RECOMMENDATION_EVIDENCE,
    RECOMMENDATIONS,
    TREND_EVIDENCE,
    TREND_HISTORY,
    TREND_PROJECTIONS,
    TREND_WINDOWS,
)
from stonks_core.stores.lake.pinned import PinnedLake
from stonks_core.vocabulary import Action, Window

STAGE = "recommendations"
READ = (*LOOKED_UP, RECOMMENDATIONS, TREND_WINDOWS, TREND_EVIDENCE, TREND_HISTORY, TREND_PROJECTIONS)
"""Whose versions a recommendation names; the history is what its projection rests on."""
Row = dict[str, Any]


def materialise_recommendations(pipeline: Pipeline, day: date, as_of: datetime) -> StepReport:
    """Recommend on every newest trend, known at `as_of`, that is newer than what was last said of its ticker and window.

    A recommendation stands for its trend's instant, and under that instant's UTC date; what was said less than five
    minutes before is not said again. Evidence is written first, so that no recommendation is ever without it.
    """
    today = as_of.date()
    days = (today - timedelta(days=1), today)
    lake = PinnedLake.now(pipeline.lake, READ, STORE_FAILURES)
    issued = lake.read(
        RECOMMENDATIONS, days=days, as_of=as_of, columns=("ticker", "window", "identity", "as_of")
    ).to_pylist()
    trends = _unspoken(lake.read(TREND_WINDOWS, days=days, as_of=as_of).to_pylist(), issued)
    if not trends:
        return StepReport(written={RECOMMENDATIONS.name: 0}, figures={"partition": day.isoformat(), "trends": 0})
    among = ds.field("trend_id").isin(pa.array([trend["trend_id"] for trend in trends], pa.string()))
    evidence = lake.read(TREND_EVIDENCE, days=days, as_of=as_of, where=among).to_pylist()
    companies = pipeline.universe(as_of).companies
    found = sentences(lake, evidence, as_of)
    projected, whole = _projected(pipeline, lake, days, as_of)
    _note_unreadable(pipeline, found)
    with active_rewriter(pipeline, companies) as rewriter:
        desk = _Desk(
            pipeline=pipeline,
            tables=lake.versions,
            evidence=_by_trend(evidence),
            found=found.sentences,
            projected=projected,
            unread=tuple(sorted([*found.unreadable, *([] if whole else [TREND_PROJECTIONS.name])])),
            issued=_by_identity(issued),
            names={ticker: company.legal_name for ticker, company in companies.items()},
            rewriter=rewriter,
        )
        for trend in trends:
            desk.speak(trend)
    written = {
        RECOMMENDATION_EVIDENCE.name: pipeline.lake.merge(RECOMMENDATION_EVIDENCE, desk.evidence_rows).changed,
        RECOMMENDATIONS.name: pipeline.lake.merge(RECOMMENDATIONS, desk.rows).changed,
    }
    figures: dict[str, float | int | str] = {"partition": day.isoformat(), "trends": len(trends)}
    figures |= {"repeated": desk.repeated}
    figures |= {str(action): sum(row["action"] == action for row in desk.rows) for action in Action}
    return StepReport(written=written, failed=desk.failed, figures=figures)


def _unspoken(trends: Iterable[Row], issued: Iterable[Row]) -> list[Row]:
    """The newest trend of each ticker and window, where it is newer than the last recommendation."""
    spoken: dict[tuple[str, str], datetime] = {}
    for row in issued:
        key = (row["ticker"], row["window"])
        spoken[key] = max(row["as_of"], spoken.get(key, row["as_of"]))
    newest: dict[tuple[str, str], Row] = {}
    for trend in trends:
        key = (trend["ticker"], trend["window"])
        if key not in newest or trend["as_of"] > newest[key]["as_of"]:
            newest[key] = trend
    return [newest[key] for key in sorted(newest) if key not in spoken or newest[key]["as_of"] > spoken[key]]


def _by_trend(evidence: Iterable[Row]) -> dict[str, list[Row]]:
    grouped: dict[str, list[Row]] = {}
    for row in sorted(evidence, key=lambda row: row["rank"]):
        grouped.setdefault(row["trend_id"], []).append(row)
    return grouped


def _by_identity(issued: Iterable[Row]) -> dict[str, list[datetime]]:
    grouped: dict[str, list[datetime]] = {}
    for row in issued:
        grouped.setdefault(row["identity"], []).append(row["as_of"])
    return grouped


def _projected(
    pipeline: Pipeline, lake: PinnedLake, days: tuple[date, date], as_of: datetime
) -> tuple[dict[tuple[str, str, datetime], float], bool]:
    """Projected scores by ticker, window and instant, and whether these are all: trends are spoken of without them.

    They are not all where the table cannot be read, or where the step that makes them failed and has not succeeded since.
    """
    try:
        rows = lake.read(TREND_PROJECTIONS, days=days, as_of=as_of).to_pylist()
    except STORE_FAILURES as error:
        message = f"recommendations of {as_of.isoformat()} know no projections: trend_projections cannot be read: {in_words(error)}"
        pipeline.failures.record(STAGE, f"table {TREND_PROJECTIONS.name}", message, pipeline.clock.now())
        return {}, False
    pipeline.failures.resolve(STAGE, [f"table {TREND_PROJECTIONS.name}"], pipeline.clock.now())
    failed = pipeline.failures.status(PROJECTING, PROJECTED) in {"open", "replay"}
    return {(row["ticker"], row["window"], row["as_of"]): row["projected_score"] for row in rows}, not failed


def _note_unreadable(pipeline: Pipeline, found: Found) -> None:
    """Note the tables that evidence could not be looked up in, and resolve those that it could."""
    now = pipeline.clock.now()
    for name, error in found.unreadable.items():
        message = f"evidence is shown in part, as lake table {name} cannot be read: {error}"
        pipeline.failures.record(STAGE, f"table {name}", message, now)
    well = [f"table {table.name}" for table in LOOKED_UP if table.name not in found.unreadable]
    pipeline.failures.resolve(STAGE, well, now)


@dataclass
class _Desk:
    """What is needed to speak about one trend after the other, and what was said."""

    pipeline: Pipeline
    tables: Mapping[str, int]
    evidence: Mapping[str, list[Row]]
    found: Mapping[str, Sentence]
    projected: Mapping[tuple[str, str, datetime], float]
    issued: Mapping[str, list[datetime]]
    names: Mapping[str, str]
    rewriter: Rewriter | None
    unread: tuple[str, ...] = ()
    rows: list[Row] = field(default_factory=list)
    evidence_rows: list[Row] = field(default_factory=list)
    failed: int = 0
    repeated: int = 0

    def speak(self, trend: Row) -> None:
        """Add the trend's recommendation, unless it was just given or its evidence cannot be shown."""
        as_of: datetime = trend["as_of"]
        ranked = self.evidence.get(trend["trend_id"], [])
        projected = self.projected.get((trend["ticker"], trend["window"], as_of))
        said = spoken(trend, ranked, projected)
        if rules.repeated(as_of, self.issued.get(said.identity, [])):
            self.repeated += 1
            return
        shown = [(row, self.found[row["signal_id"]]) for row in ranked if row["signal_id"] in self.found]
        if len(shown) < len(ranked) or not ranked:
            self._missing(trend, len(ranked) - len(shown))
            if not shown:
                return
        span = SHAPES[Window(trend["window"])].length(as_of, self.pipeline.calendar.previous_close(as_of))
        unseen = len(ranked) - len(shown)
        words = words_for(
            trend, said.verdict, shown, self.names, projected, lacking=lacking_of(self.unread), unseen=unseen
        )
        author, words = self._reworded(said.verdict, words, said.recommendation_id)
        provenance = self._provenance(trend, projected).text()
        self.rows.append(recommendation_row(trend, said, span, words, provenance, author))
        self.evidence_rows += evidence_rows(said, shown)

    def _provenance(self, trend: Row, projected: float | None) -> Provenance:
        """What the trend was computed from, and what was read and set beside it."""
        own = read_provenance(trend["input_versions"])
        threshold = self.pipeline.settings.signals.projection_confidence_threshold
        tables = {**own.tables, **self.tables}
        return replace(
            own, tables=tables, projection_threshold=threshold, projected_score=projected, unread=self.unread
        )

    def _reworded(self, verdict: rules.Verdict, words: str, recommendation_id: str) -> tuple[str, str]:
        """Author and words: the agent's where it is on, in time, and adds nothing; the template's otherwise."""
        decisive = verdict.action in rules.DECISIVE
        answer = self.rewriter.rewrite(words, recommendation_id) if self.rewriter and decisive else None
        if isinstance(answer, Refused):
            message = f"the thesis of recommendation {recommendation_id} stays as it was: {answer.reason}"
            self.pipeline.failures.record(REWRITE_STAGE, recommendation_id, message, self.pipeline.clock.now())
        return (REWRITER, answer) if isinstance(answer, str) else (TEMPLATE, words)

    def _missing(self, trend: Row, gone: int) -> None:
        self.failed += 1
        what = f"{gone} of its signals have no record with a quote" if gone else "it has no evidence"
        message = f"the trend of {trend['ticker']} over {trend['window']} cannot be shown in full: {what}"
        self.pipeline.failures.record(STAGE, trend["trend_id"], message, self.pipeline.clock.now())
