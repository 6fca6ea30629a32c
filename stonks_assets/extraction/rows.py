"""A document's reading as rows, and a row of `documents` as the reader takes it. Pure."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from stonks_assets.extraction.reading import ReadableDocument, Reading
from stonks_core.identifiers import digest
from stonks_core.registry.universe import Universe

Row = Mapping[str, Any]
COLUMNS = (
    *("day", "document_id", "document_type", "status", "ticker", "title", "text", "sha256", "cluster_id"),
    *("credibility", "published_at", "available_at"),
)


def readable(row: Row, universe: Universe, mentions: Sequence[tuple[int, str]]) -> ReadableDocument:
    """A row of `documents` as the reader takes it."""
    own = row["ticker"] or ""
    return ReadableDocument(
        document_id=row["document_id"],
        title=row["title"],
        text=row["text"],
        sha256=row["sha256"],
        published_at=row["published_at"],
        mentions=tuple(mentions),
        own_ticker=own if own in universe.companies else "",
    )


def intelligence_row(row: Row, reading: Reading, at: datetime) -> dict[str, Any]:
    """The row of `document_intelligence`. A document that nobody was asked about has empty answer columns."""
    verdict = reading.verdict
    first = reading.answers[0] if reading.answers else None
    return {
        **{name: row[name] for name in ("day", "document_id", "published_at", "available_at")},
        "status": verdict.status,
        "summary": reading.summary,
        "sentiment": reading.sentiment,
        "catalyst": reading.catalyst.value,
        "confidence": reading.confidence,
        "impacts_kept": len(verdict.kept),
        "hallucinated_ticker": verdict.hallucinated_ticker,
        "unsupported_quote": verdict.unsupported_quote,
        "invalid_record": verdict.invalid_record,
        "agent": reading.config.agent,
        "variant": reading.config.variant,
        "model": first.model if first else "",
        "model_digest": first.model_digest if first else "",
        "answer_key": ",".join(answer.key for answer in reading.answers),
        "extracted_at": at,
    }


def impact_record_rows(row: Row, reading: Reading) -> list[dict[str, Any]]:
    """The rows of `impact_records`."""
    shared = ("day", "document_id", "cluster_id", "credibility", "published_at", "available_at")
    return [
        {
            **{name: row[name] for name in shared},
            "impact_id": digest("impact", row["document_id"], impact.ticker),
            "ticker": impact.ticker,
            "sentiment": impact.sentiment,
            "impact": impact.impact,
            "catalyst": impact.catalyst.value,
            "horizon": impact.horizon,
            "confidence": impact.confidence,
            "quote": impact.span.quote,
            "quote_start": impact.span.start,
            "quote_end": impact.span.end,
            "document_sha256": row["sha256"],
        }
        for impact in reading.verdict.kept
    ]


def why_failed(reading: Reading) -> str:
    """The sentence of a document that could not be read."""
    if reading.errors:
        return f"document {reading.document_id} could not be read: {'; '.join(reading.errors)}"[:2000]
    verdict = reading.verdict
    return (
        f"every record that {reading.config.model} made of document {reading.document_id} was dropped: "
        f"{verdict.hallucinated_ticker} name an unknown company, {verdict.unsupported_quote} quote what is not in it, "
        f"{verdict.invalid_record} break the schema; replay it after changing the agent's prompt or model"
    )
