"""Macro events as rows: classified events, and what they mean for each exposed company. Pure."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from stonks_assets.extraction.exposure import CommodityMove, CompanyExposure, EventReach, macro_impact
from stonks_assets.extraction.reading import EventReading
from stonks_core.identifiers import digest
from stonks_core.registry.universe import Universe

NO_EVENT = "none"
_SHARED = ("day", "document_id", "cluster_id", "credibility", "published_at", "available_at")


def event_row(document: Mapping[str, Any], reading: EventReading) -> dict[str, Any]:
    """The row of `global_events` for a classified document; ValueError for a reading in which no answer held.

    A document that reports no macro event has a row too, of type `none` and confidence 0, so that it counts as read.
    """
    event, span, answer = reading.event, reading.span, reading.answer
    if event is None or span is None or answer is None:
        raise ValueError(f"document {reading.document_id} has no classified event: record its failure instead")
    return {
        **{name: document[name] for name in _SHARED},
        "event_id": digest("event", reading.document_id),
        "type": event.type if event.is_macro_event else NO_EVENT,
        "summary": event.summary.strip(),
        "severity": event.severity,
        "direction": event.direction,
        "regions": _list_of(event.regions),
        "sectors": _list_of(event.sectors),
        "commodities": _list_of(event.commodities),
        "duration": event.duration,
        "confidence": event.confidence if event.is_macro_event else 0.0,
        "quote": span.quote,
        "quote_start": span.start,
        "quote_end": span.end,
        "document_sha256": document["sha256"],
        "agent": reading.config.agent,
        "variant": reading.config.variant,
        "model": answer.model,
        "model_digest": answer.model_digest,
        "answer_key": answer.key,
    }


def _list_of(entries: Iterable[Any]) -> str:
    """JSON of weighted names, by name; of one that is named twice the heaviest."""
    heaviest: dict[str, dict[str, Any]] = {}
    for entry in entries:
        row = entry.model_dump()
        if row["name"] not in heaviest or row["weight"] > heaviest[row["name"]]["weight"]:
            heaviest[row["name"]] = row
    return json.dumps([heaviest[name] for name in sorted(heaviest)])


def reach_of(event: Mapping[str, Any]) -> EventReach:
    """What a row of `global_events` touches."""
    return EventReach(
        severity=event["severity"],
        direction=event["direction"],
        regions={entry["name"]: entry["weight"] for entry in json.loads(event["regions"])},
        sectors={entry["name"]: entry["weight"] for entry in json.loads(event["sectors"])},
        commodities={
            entry["name"]: CommodityMove(entry["weight"], entry["price_direction"])
            for entry in json.loads(event["commodities"])
        },
    )


def impact_rows(event: Mapping[str, Any], universe: Universe, least_confidence: float) -> list[dict[str, Any]]:
    """The rows of `macro_impacts` for an event: one for each company that is exposed to it at all.

    An event below the least confidence makes none. A company without an exposure profile is exposed by its sector.
    """
    if event["type"] == NO_EVENT or event["confidence"] < least_confidence:
        return []
    reach = reach_of(event)
    rows = []
    for ticker, company in sorted(universe.companies.items()):
        profile = universe.exposures.get(ticker)
        found = macro_impact(
            reach,
            CompanyExposure(
                sector=company.sector,
                revenue_by_region=profile.revenue_by_region if profile else {},
                commodity_sensitivity=profile.commodity_sensitivity if profile else {},
            ),
        )
        if found.impact <= 0:
            continue
        rows.append(
            {
                **{name: event[name] for name in (*_SHARED, "event_id", "duration", "confidence")},
                "macro_impact_id": digest("macro", event["event_id"], ticker),
                "ticker": ticker,
                "geo": found.geo,
                "sector": found.sector,
                "commodity": found.commodity,
                "exposure": found.exposure,
                "impact": found.impact,
                "sentiment": found.sentiment,
            }
        )
    return rows
