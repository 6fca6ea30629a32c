"""Step: trends that nobody has spoken about yet become recommendations, with their evidence down to the sentence."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any

import pyarrow as pa
import pyarrow.dataset as ds

from stonks_assets.aggregation.evidence import SUPPORTING
from stonks_assets.aggregation.windows import SHAPES
from stonks_assets.pipeline import STORE_FAILURES, Pipeline, StepReport
from stonks_assets.recommendation import rules
from stonks_assets.recommendation.resolve import LOOKED_UP, Found, Sentence, sentences
from stonks_assets.recommendation.rewrite import Refused
from stonks_assets.recommendation.rewriter import AGENT as REWRITER
from stonks_assets.recommendation.rewriter import STAGE as REWRITE_STAGE
from stonks_assets.recommendation.rewriter import Rewriter, active_rewriter
from stonks_assets.recommendation.thesis import PROJECTIONS, Quoted, Subject, thesis
from stonks_core.registry.universe import Company
from stonks_core.stores.lake.gold_tables import (
    RECOMMENDATION_EVIDENCE,
    RECOMMENDATIONS,
    TREND_EVIDENCE,
    TREND_PROJECTIONS,
    TREND_WINDOWS,
)
from stonks_core.vocabulary import Action, Direction, Layer, Window

STAGE = "recommendations"
TEMPLATE = "template"
Row = dict[str, Any]


def materialise_recommendations(pipeline: Pipeline, day: date, as_of: datetime) -> StepReport:
    """Recommend on every newest trend, known at `as_of`, that is newer than what was last said of its ticker and window.

    A recommendation stands for its trend's instant, and under that instant's UTC date; what was said less than five
    minutes before is not said again. Evidence is written first, so that no recommendation is ever without it.
    """
    today = as_of.date()
    days = (today - timedelta(days=1), today)
    lake = pipeline.lake
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
    projected, projections_read = _projected(pipeline, days, as_of)
    _note_unreadable(pipeline, found)
    with active_rewriter(pipeline, companies) as rewriter:
        desk = _Desk(
            pipeline=pipeline,
            evidence=_by_trend(evidence),
            found=found.sentences,
            projected=projected,
            lacking=() if projections_read else (PROJECTIONS,),
            issued=_by_identity(issued),
            companies=companies,
            rewriter=rewriter,
        )
        for trend in trends:
            desk.speak(trend)
    written = {
        RECOMMENDATION_EVIDENCE.name: lake.merge(RECOMMENDATION_EVIDENCE, desk.evidence_rows).changed,
        RECOMMENDATIONS.name: lake.merge(RECOMMENDATIONS, desk.rows).changed,
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
    pipeline: Pipeline, days: tuple[date, date], as_of: datetime
) -> tuple[dict[tuple[str, str, datetime], float], bool]:
    """Projected scores by ticker, window and instant, and whether they could be read: trends are spoken of without them."""
    try:
        rows = pipeline.lake.read(TREND_PROJECTIONS, days=days, as_of=as_of).to_pylist()
    except STORE_FAILURES as error:
        message = (
            f"recommendations of {as_of.isoformat()} know no projections: trend_projections cannot be read: {error}"
        )
        pipeline.failures.record(STAGE, f"table {TREND_PROJECTIONS.name}", message, pipeline.clock.now())
        return {}, False
    pipeline.failures.resolve(STAGE, [f"table {TREND_PROJECTIONS.name}"], pipeline.clock.now())
    return {(row["ticker"], row["window"], row["as_of"]): row["projected_score"] for row in rows}, True


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
    evidence: Mapping[str, list[Row]]
    found: Mapping[str, Sentence]
    projected: Mapping[tuple[str, str, datetime], float]
    issued: Mapping[str, list[datetime]]
    companies: Mapping[str, Company]
    rewriter: Rewriter | None
    lacking: tuple[str, ...] = ()
    rows: list[Row] = field(default_factory=list)
    evidence_rows: list[Row] = field(default_factory=list)
    failed: int = 0
    repeated: int = 0

    def speak(self, trend: Row) -> None:
        """Add the trend's recommendation, unless it was just given or its evidence cannot be shown."""
        as_of: datetime = trend["as_of"]
        window = Window(trend["window"])
        ranked = self.evidence.get(trend["trend_id"], [])
        projected = self.projected.get((trend["ticker"], trend["window"], as_of))
        verdict = rules.judge(_judged(trend, projected))
        identity = rules.identity(
            ticker=trend["ticker"],
            window=window,
            decided=verdict.action,
            allowed=verdict.mode,
            evidence_ids=[row["signal_id"] for row in ranked],
            score=trend["score"],
        )
        if rules.repeated(as_of, self.issued.get(identity, [])):
            self.repeated += 1
            return
        shown = [(row, self.found[row["signal_id"]]) for row in ranked if row["signal_id"] in self.found]
        if len(shown) < len(ranked) or not ranked:
            self._missing(trend, len(ranked) - len(shown))
            if not shown:
                return
        recommendation_id = rules.recommendation_id(identity, as_of)
        span = SHAPES[window].length(as_of, self.pipeline.calendar.previous_close(as_of))
        subject = replace(
            _subject(trend, verdict, self._name(trend["ticker"]), projected),
            lacking=(*filter(None, trend["degraded"].split(",")), *self.lacking),
            unseen=len(ranked) - len(shown),
        )
        words = thesis(subject, self._quoted(shown))
        author, words = self._reworded(verdict, words, recommendation_id)
        day = as_of.date().isoformat()
        self.rows.append(
            {
                **{name: trend[name] for name in _CARRIED},
                "day": day,
                "recommendation_id": recommendation_id,
                "identity": identity,
                "action": str(verdict.action),
                "mode": str(verdict.mode),
                "risk_class": str(verdict.risk_class),
                "confidence": verdict.confidence,
                "suppression": verdict.suppression,
                "thesis": words,
                "thesis_author": author,
                "expires_at": rules.expires_at(as_of, span),
            }
        )
        self.evidence_rows += [_evidence_row(recommendation_id, day, row, sentence) for row, sentence in shown]

    def _name(self, ticker: str) -> str:
        company = self.companies.get(ticker)
        return company.legal_name if company else ticker

    def _quoted(self, shown: Iterable[tuple[Row, Sentence]]) -> list[Quoted]:
        return [
            Quoted(
                quote=sentence.quote,
                publisher=sentence.publisher,
                published=sentence.published_at.date(),
                supporting=row["stance"] == SUPPORTING,
                about=self._name(sentence.about) if sentence.about else "",
                catalyst=sentence.catalyst,
            )
            for row, sentence in shown
        ]

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


_CARRIED = (
    *("trend_id", "ticker", "window", "score", "strength", "contradiction", "reference_price"),
    *("input_versions", "as_of"),
)


def _judged(trend: Row, projected: float | None) -> rules.Judged:
    return rules.Judged(
        score=trend["score"],
        strength=trend["strength"],
        confidence=trend["confidence"],
        contradiction=trend["contradiction"],
        direction=Direction(trend["direction"]),
        company_share=trend["company_share"],
        macro_share=trend["macro_share"],
        competitive_share=trend["competitive_share"],
        volatility=trend["volatility"],
        projected_score=projected,
    )


def _subject(trend: Row, verdict: rules.Verdict, name: str, projected: float | None) -> Subject:
    return Subject(
        ticker=trend["ticker"],
        name=name,
        window=Window(trend["window"]),
        action=verdict.action,
        direction=Direction(trend["direction"]),
        score=trend["score"],
        confidence=verdict.confidence,
        contradiction=trend["contradiction"],
        reports=trend["signals_counted"],
        shares={layer: trend[f"{layer}_share"] for layer in Layer},
        suppression=verdict.suppression,
        objected=rules.objects(trend["score"], projected),
        window_return=trend["window_return"],
        volume_ratio=trend["volume_ratio"],
        volatility=trend["volatility"],
        reference_price=trend["reference_price"],
    )


def _evidence_row(recommendation_id: str, day: str, row: Row, sentence: Sentence) -> Row:
    return {
        "day": day,
        "recommendation_id": recommendation_id,
        "rank": row["rank"],
        "signal_id": row["signal_id"],
        "layer": row["layer"],
        "source_record_id": sentence.source_record_id,
        "document_id": sentence.document_id,
        "document_sha256": sentence.document_sha256,
        "stance": row["stance"],
        "weight": row["weight"],
        "evidence_score": row["evidence_score"],
        "quote": sentence.quote,
        "quote_start": sentence.start,
        "quote_end": sentence.end,
        "as_of": row["as_of"],
    }
