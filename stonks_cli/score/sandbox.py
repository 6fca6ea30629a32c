"""`stonks score-sandbox`: what a book made of the events that its synthetic market planted.

The definitions stand in `stages` and `hearsay`; here the truth and the lake are read and the report is put together.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from stonks_cli import books
from stonks_cli.score import hearsay, macro
from stonks_cli.score.said import Book
from stonks_cli.score.stages import (
    EXTRACTION,
    LEAST_EFFECT,
    STAGES,
    WITHIN,
    Miss,
    Planted,
    StageScore,
    Tally,
    score_stage,
    total,
)
from stonks_cli.score.truth import Event, read_truth
from stonks_core.errors import BadInputError, StonksError
from stonks_core.settings import Settings
from stonks_core.stores.lake.lake import Lake
from stonks_core.stores.lake.location import lake_location

MISSES = 5
"""Examples of misses at each stage."""
ALL_COMPANY, ALL = "all company events", "all"


@dataclass(frozen=True)
class Days:
    """The UTC days whose events are scored; None: as far as trends were computed."""

    first: date | None = None
    last: date | None = None


def score_sandbox(settings: Settings, book: str, days: Days) -> dict[str, Any]:
    """The report on a book of this home, running or stopped.

    Raises StonksError where the book's market is not the synthetic one, or where no trend was computed yet.
    """
    staged = books.stage_of(settings, book)
    if not settings.sandboxed["market_data"] or settings.sandbox.recorded:
        raise StonksError(
            "this install does not play the synthetic market, so nothing was planted in it: score its filings with "
            "`stonks score-filings`, or set STONKS_HOME to the home of a synthetic one"
        )
    events = read_truth(staged.general.home / f"{staged.stage_prefix}sandbox" / "truth" / "events.jsonl")
    return report(events, Lake(lake_location(staged)), days)


def report(events: Sequence[Event], lake: Lake, days: Days) -> dict[str, Any]:
    """The whole report, as plain values."""
    reader = Book(lake)
    try:
        reached = reader.span()
        if reached is None:
            raise StonksError(
                "no trend was computed yet, so there is nothing to score: let the system run for some minutes, or run "
                "`stonks backfill --through recommendations` over past days"
            )
        chosen = _chosen(events, days, *reached)
        said, arrived = reader.sayings(), reader.arrived()
        calls = reader.calls()
    finally:
        reader.close()
    planted = Planted(chosen)
    scores = {stage: score_stage(stage, planted, said[stage]) for stage in STAGES}
    days_scored = min(event.at for event in chosen).date(), max(event.at for event in chosen).date()
    in_range = [call for call in calls if days_scored[0] <= call.at.date() <= days_scored[1]]
    return {
        "first": min(event.at for event in chosen),
        "last": max(event.at for event in chosen),
        "events": len(chosen),
        "untold": sum(not any(told.source_id in arrived for told in event.documents) for event in chosen),
        "young": sum(reached[1] - event.at < WITHIN for event in chosen),
        "least_effect": LEAST_EFFECT,
        "within_hours": WITHIN.total_seconds() / 3600,
        "rows": _rows(scores),
        "false_rumours": hearsay.rumours(planted, said),
        "macro_impacts": macro.impacts(planted, said[EXTRACTION]),
        "disputes": hearsay.disputes(planted, said),
        "agreement": hearsay.agreement(events, in_range),
        "confusion": hearsay.confusion(planted, said[EXTRACTION]),
        "misses": [_miss(miss, arrived) for stage in STAGES for miss in _examples(scores[stage].misses)],
    }


def _chosen(events: Sequence[Event], days: Days, reached_from: datetime, reached_to: datetime) -> list[Event]:
    """The events of the days asked for that had happened when trends were last computed."""
    first, last = days.first or reached_from.date(), days.last or reached_to.date()
    if last < first:
        raise BadInputError(f"--to {last} lies before --from {first}: give the earlier day first")
    chosen = [event for event in events if first <= event.at.date() <= last and event.at <= reached_to]
    if not chosen:
        raise StonksError(
            f"the truth knows no event of {first} to {last}: trends were computed from {reached_from:%Y-%m-%d} to "
            f"{reached_to:%Y-%m-%d}, give days between these"
        )
    return chosen


def _rows(scores: Mapping[str, StageScore]) -> list[dict[str, Any]]:
    """A row for each catalyst, then macro events, echoes and false rumours, then the totals."""
    names = sorted({name for score in scores.values() for name in score.rows})
    rows = [_row(name, {stage: score.rows.get(name, Tally()) for stage, score in scores.items()}) for name in names]
    rows.append(_row(ALL_COMPANY, {stage: total(score.rows, company_only=True) for stage, score in scores.items()}))
    rows.append(_row(ALL, {stage: total(score.rows) for stage, score in scores.items()}))
    return rows


def _row(name: str, tallies: Mapping[str, Tally]) -> dict[str, Any]:
    stages = {
        stage: {
            "found": tally.found,
            "recall": tally.recall,
            "said": tally.said,
            "right": tally.right,
            "opposite": tally.opposite,
            "slight": tally.slight,
            "precision": tally.precision,
            "delay_minutes": tally.delay_minutes,
        }
        for stage, tally in tallies.items()
    }
    return {"row": name, "planted": max(tally.planted for tally in tallies.values()), **stages}


def _examples(misses: Sequence[Miss]) -> Iterator[Miss]:
    """The largest effects that were missed, no row twice before every row had its turn."""
    ordered = sorted(misses, key=lambda miss: -abs(miss.effect))
    seen: dict[str, int] = {}
    ranked = []
    for miss in ordered:
        seen[miss.row] = seen.get(miss.row, 0) + 1
        ranked.append((seen[miss.row], miss))
    yield from [miss for _, miss in sorted(ranked, key=lambda entry: entry[0])[:MISSES]]


def _miss(miss: Miss, arrived: Mapping[str, str]) -> dict[str, Any]:
    """The miss with what was said first instead, else with the event's first document that came in."""
    said = miss.said[0] if miss.said else None
    told = sorted(miss.event.documents, key=lambda told: (told.source_id not in arrived, told.published_at))
    source_id = said.source_id if said else next((one.source_id for one in told), "")
    return {
        "stage": miss.stage,
        "row": miss.row,
        "event_id": miss.event.event_id,
        "ticker": miss.ticker,
        "effect": miss.effect,
        "source_id": source_id,
        "document_id": arrived.get(source_id),
        "said": None if said is None else {"sign": said.sign, "sentiment": said.sentiment, "catalyst": said.catalyst},
    }
