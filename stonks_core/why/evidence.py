"""The evidence of a recommendation, down to the document: each quote checked against the text that is stored now."""

from collections.abc import Iterable, Mapping
from typing import Any

import pyarrow.dataset as ds

from stonks_core.identifiers import sha256_text
from stonks_core.stores.lake.gold_tables import RECOMMENDATION_EVIDENCE
from stonks_core.stores.lake.lake import Lake
from stonks_core.stores.lake.silver_tables import (
    COMPETITIVE_SIGNALS,
    DOCUMENTS,
    GLOBAL_EVENTS,
    IMPACT_RECORDS,
    MACRO_IMPACTS,
)
from stonks_core.vocabulary import Layer
from stonks_core.why.lookup import Row, document_day, rows_by

_DOCUMENT = (
    *("document_id", "title", "publisher", "source_name", "url", "canonical_url", "document_type", "text"),
    *("published_at", "available_at", "cluster_id", "raw_item_id", "raw_sha256"),
)
_IMPACT = (
    *("impact_id", "document_id", "ticker", "sentiment", "impact", "catalyst", "horizon", "confidence"),
    *("credibility", "quote_start", "quote_end", "document_sha256"),
)
_COMPETITIVE = (
    *("competitive_id", "impact_id", "source_ticker", "ticker", "relationship", "strength", "pattern", "samples"),
    *("sentiment", "impact", "confidence"),
)
_MACRO = ("macro_impact_id", "event_id", "ticker", "exposure", "impact", "sentiment", "duration", "confidence")
_EVENT = (
    *("event_id", "document_id", "type", "summary", "severity", "direction", "confidence"),
    *("quote_start", "quote_end", "document_sha256"),
)


def verified(text: str | None, quote: str, start: int, end: int, sha256: str) -> bool:
    """Whether a text is still the one that was read: its hash is the recorded one, and the quote stands at its place."""
    return text is not None and text[start:end] == quote and sha256_text(text) == sha256


def evidence_of(lake: Lake, recommendation: Row) -> list[dict[str, Any]]:
    """The ranked evidence of a recommendation, each with its record and its document, best first."""
    day = recommendation["as_of"].date()
    ranked = lake.read(
        RECOMMENDATION_EVIDENCE,
        days=(day, day),
        where=ds.field("recommendation_id") == recommendation["recommendation_id"],
    ).to_pylist()
    ranked.sort(key=lambda row: row["rank"])
    documents = rows_by(
        lake,
        DOCUMENTS,
        "document_id",
        {row["document_id"] for row in ranked},
        {document_day(row["document_id"]) for row in ranked},
        _DOCUMENT,
    )
    records = _records(lake, ranked)
    return [_shown(row, documents.get(row["document_id"]), records.get(row["source_record_id"], [])) for row in ranked]


def _shown(row: Row, document: Row | None, records: list[Row]) -> dict[str, Any]:
    known: Mapping[str, Any] = document or {}
    start, end = row["quote_start"], row["quote_end"]
    return {
        "rank": row["rank"],
        "stance": row["stance"],
        "layer": row["layer"],
        "weight": row["weight"],
        "evidence_score": row["evidence_score"],
        "quote": row["quote"],
        "start": start,
        "end": end,
        "document_id": row["document_id"],
        "sha256": row["document_sha256"],
        "document_type": known.get("document_type"),
        "title": known.get("title"),
        "publisher": known.get("publisher") or known.get("source_name"),
        "url": known.get("canonical_url") or known.get("url"),
        "published_at": known.get("published_at"),
        "available_at": known.get("available_at"),
        "cluster_id": known.get("cluster_id"),
        "raw_item_id": known.get("raw_item_id"),
        "raw_sha256": known.get("raw_sha256"),
        "signal_id": row["signal_id"],
        "source_record_id": row["source_record_id"],
        "records": records,
        "verified": verified(known.get("text"), row["quote"], start, end, row["document_sha256"]),
    }


def _records(lake: Lake, ranked: Iterable[Row]) -> dict[str, list[Row]]:
    """By source record id: the rows from that record down to the one that holds the quote, each with its table's name.

    A company signal rests on an impact record; a macro signal on a macro impact and its event; a competitive signal on
    the impact record about the other company.
    """
    rows = list(ranked)
    days = {document_day(row["document_id"]) for row in rows}
    of = {layer: {r["source_record_id"] for r in rows if r["layer"] == layer} for layer in Layer}
    competitive = rows_by(lake, COMPETITIVE_SIGNALS, "competitive_id", of[Layer.COMPETITIVE], days, _COMPETITIVE)
    macro = rows_by(lake, MACRO_IMPACTS, "macro_impact_id", of[Layer.MACRO], days, _MACRO)
    wanted = of[Layer.COMPANY] | {row["impact_id"] for row in competitive.values()}
    impacts = rows_by(lake, IMPACT_RECORDS, "impact_id", wanted, days, _IMPACT)
    events = rows_by(lake, GLOBAL_EVENTS, "event_id", {row["event_id"] for row in macro.values()}, days, _EVENT)
    found = {name: [_named(IMPACT_RECORDS.name, row)] for name, row in impacts.items()}
    for name, row in competitive.items():
        found[name] = [_named(COMPETITIVE_SIGNALS.name, row), *found.get(row["impact_id"], [])]
    for name, row in macro.items():
        event = events.get(row["event_id"])
        found[name] = [_named(MACRO_IMPACTS.name, row), *([_named(GLOBAL_EVENTS.name, event)] if event else [])]
    return found


def _named(table: str, row: Row) -> Row:
    return {"table": table, **row}
