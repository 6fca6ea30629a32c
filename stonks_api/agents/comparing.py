"""Two readings of the same documents held against each other. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

MOST_SHOWN = 20
FAILED = frozenset({"extraction_failed", "classification_failed"})
Found = Mapping[str, Any]


def compare(rows: Sequence[Found], live: Mapping[str, Sequence[Found]]) -> dict[str, Any]:
    """A shadow's impact records against the live agent's, company by company.

    `rows` have `document_id`, `status` and `found`; `live` the records by document. Documents that only one of them has
    read, and those the shadow failed at, are not compared.
    """
    pairs = [
        (row, live[row["document_id"]]) for row in rows if row["document_id"] in live and row["status"] not in FAILED
    ]
    both: list[tuple[str, Found, Found]] = []
    only_live = only_shadow = 0
    differing: list[dict[str, Any]] = []
    for row, records in pairs:
        theirs = {record["ticker"]: record for record in records}
        its = {record["ticker"]: record for record in row["found"]}
        shared = sorted(theirs.keys() & its.keys())
        both += [(row["document_id"], theirs[ticker], its[ticker]) for ticker in shared]
        only_live += len(theirs) - len(shared)
        only_shadow += len(its) - len(shared)
        if theirs.keys() != its.keys() or any(_opposite(theirs[t], its[t]) for t in shared):
            differing.append({"document_id": row["document_id"], "live": _by(theirs), "shadow": _by(its)})
    return {
        **_sizes(rows, len(pairs)),
        "live_records": len(both) + only_live,
        "shadow_records": len(both) + only_shadow,
        "in_both": len(both),
        "only_live": only_live,
        "only_shadow": only_shadow,
        "same_sign_share": _mean([float(not _opposite(a, b)) for _, a, b in both]),
        "mean_sentiment_gap": _mean([abs(a["sentiment"] - b["sentiment"]) for _, a, b in both]),
        "mean_impact_gap": _mean([abs(a["impact"] - b["impact"]) for _, a, b in both]),
        "disagreements": differing[:MOST_SHOWN],
    }


def compare_events(rows: Sequence[Found], live: Mapping[str, Sequence[Found]]) -> dict[str, Any]:
    """A shadow's events against the live agent's: does each say that there is one, and which way does it point."""
    pairs = [
        (row["document_id"], live[row["document_id"]][0], row["found"][0])
        for row in rows
        if row["document_id"] in live and row["status"] not in FAILED and row["found"]
    ]
    both = [(name, a, b) for name, a, b in pairs if a["type"] != "none" and b["is_macro_event"]]
    only_live = sum(a["type"] != "none" and not b["is_macro_event"] for _, a, b in pairs)
    only_shadow = sum(a["type"] == "none" and b["is_macro_event"] for _, a, b in pairs)
    differing = [
        {"document_id": name, "live": _event(a), "shadow": _event(b)}
        for name, a, b in pairs
        if (a["type"] != "none") != b["is_macro_event"]
        or (b["is_macro_event"] and (a["severity"] != b["severity"] or a["direction"] * b["direction"] < 0))
    ]
    return {
        **_sizes(rows, len(pairs)),
        "live_records": len(both) + only_live,
        "shadow_records": len(both) + only_shadow,
        "in_both": len(both),
        "only_live": only_live,
        "only_shadow": only_shadow,
        "same_sign_share": _mean([float(a["direction"] * b["direction"] >= 0) for _, a, b in both]),
        "mean_sentiment_gap": _mean([abs(a["direction"] - b["direction"]) for _, a, b in both]),
        "mean_impact_gap": None,
        "disagreements": differing[:MOST_SHOWN],
    }


def _sizes(rows: Sequence[Found], compared: int) -> dict[str, int]:
    return {"documents": len(rows), "failed": sum(row["status"] in FAILED for row in rows), "compared": compared}


def _opposite(one: Found, other: Found) -> bool:
    return bool(one["sentiment"] * other["sentiment"] < 0)


def _by(records: Mapping[str, Found]) -> dict[str, Any]:
    return {ticker: records[ticker]["sentiment"] for ticker in sorted(records)}


def _event(event: Found) -> dict[str, Any]:
    return {name: event[name] for name in ("type", "severity", "direction", "confidence")}


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None
