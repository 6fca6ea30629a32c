"""A trend, its evidence and its projection as a recommendation, row for row. No store is touched and nobody is asked.

The step issues what comes out here; whoever computes a stored recommendation again holds it against the same.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from stonks_assets.aggregation.evidence import SUPPORTING
from stonks_assets.recommendation import rules
from stonks_assets.recommendation.sentence import Sentence
from stonks_assets.recommendation.thesis import PROJECTIONS, Quoted, Subject, thesis
from stonks_core.stores.lake.gold_tables import TREND_PROJECTIONS
from stonks_core.vocabulary import Direction, Layer, Window

Row = dict[str, Any]
Shown = Sequence[tuple[Row, Sentence]]
TEMPLATE = "template"
_CARRIED = ("trend_id", "ticker", "window", "score", "strength", "contradiction", "reference_price", "as_of")


@dataclass(frozen=True)
class Spoken:
    """What a trend says: the rules' verdict, and what makes it the same as another one."""

    verdict: rules.Verdict
    identity: str
    recommendation_id: str


def spoken(trend: Row, ranked: Sequence[Row], projected: float | None) -> Spoken:
    """The verdict on a trend (a row of the lake) with its ranked evidence and the score it is projected to."""
    verdict = rules.judge(judged(trend, projected))
    identity = rules.identity(
        ticker=trend["ticker"],
        window=Window(trend["window"]),
        decided=verdict.action,
        allowed=verdict.mode,
        evidence_ids=[row["signal_id"] for row in ranked],
        score=trend["score"],
    )
    return Spoken(verdict, identity, rules.recommendation_id(identity, trend["as_of"]))


def judged(trend: Row, projected: float | None) -> rules.Judged:
    """A trend's figures as the rules read them."""
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


def words_for(
    trend: Row,
    verdict: rules.Verdict,
    shown: Shown,
    names: Mapping[str, str],
    projected: float | None,
    *,
    lacking: Sequence[str] = (),
    unseen: int = 0,
) -> str:
    """The thesis; `names` are legal names by ticker.

    `lacking` is what could not be read beside what the trend lacks, `unseen` how many signals have no sentence to show.
    """
    quoted = [
        Quoted(
            quote=sentence.quote,
            publisher=sentence.publisher,
            published=sentence.published_at.date(),
            supporting=row["stance"] == SUPPORTING,
            about=names.get(sentence.about, sentence.about),
            catalyst=sentence.catalyst,
        )
        for row, sentence in shown
    ]
    subject = _subject(trend, verdict, names.get(trend["ticker"], trend["ticker"]), projected)
    lacking = (*filter(None, trend["degraded"].split(",")), *lacking)
    return thesis(replace(subject, lacking=lacking, unseen=unseen), quoted)


def lacking_of(unread: Collection[str]) -> tuple[str, ...]:
    """What a thesis lacks beside what its trend lacks, by the names of the tables that could not be read.

    Those that evidence is looked up in are missed sentence by sentence.
    """
    return (PROJECTIONS,) if TREND_PROJECTIONS.name in unread else ()


def recommendation_row(
    trend: Row, said: Spoken, span: timedelta, words: str, input_versions: str, author: str = TEMPLATE
) -> Row:
    """The row of `recommendations`; `span` is how much time the trend's window covers."""
    return {
        **{name: trend[name] for name in _CARRIED},
        "day": trend["as_of"].date().isoformat(),
        "recommendation_id": said.recommendation_id,
        "identity": said.identity,
        "action": str(said.verdict.action),
        "mode": str(said.verdict.mode),
        "risk_class": str(said.verdict.risk_class),
        "confidence": said.verdict.confidence,
        "suppression": said.verdict.suppression,
        "thesis": words,
        "thesis_author": author,
        "input_versions": input_versions,
        "expires_at": rules.expires_at(trend["as_of"], span),
    }


def evidence_rows(said: Spoken, shown: Shown) -> list[Row]:
    """The rows of `recommendation_evidence`."""
    return [
        {
            "day": row["as_of"].date().isoformat(),
            "recommendation_id": said.recommendation_id,
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
        for row, sentence in shown
    ]


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
