"""A market of a few events whose scores are known by hand, as truth and as what a pipeline stored about it."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa

from stonks_cli.score.stages import Saying
from stonks_cli.score.truth import Event, Told
from stonks_core.settings import load_settings
from stonks_core.stores.lake.gold_tables import RECOMMENDATION_EVIDENCE, RECOMMENDATIONS, TREND_EVIDENCE, TREND_HISTORY
from stonks_core.stores.lake.lake import Lake
from stonks_core.stores.lake.location import lake_location
from stonks_core.stores.lake.silver_tables import DOCUMENTS, IMPACT_RECORDS, SIGNALS
from stonks_core.stores.lake.tables import LakeTable

AT = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
SOON = AT + timedelta(minutes=20)


def told(name: str, role: str = "origin", minutes: float = 0) -> Told:
    """A document published so many minutes after AT."""
    return Told(name, role, AT + timedelta(minutes=minutes))


def event(name: str, *documents: Told, **given: Any) -> Event:
    """A company's good news with an effect of 2 %, unless said otherwise."""
    filled: dict[str, Any] = {
        "kind": "company", "at": AT, "ticker": "AAA", "catalyst": "contract_win", "claimed": 1, "effects": {"AAA": 0.02},
    }  # fmt: skip
    return Event(event_id=name, documents=documents or (told(f"{name}-doc"),), **{**filled, **given})


def saying(source_id: str, sign: int = 1, ticker: str = "AAA", minutes: float = 20, **given: Any) -> Saying:
    """Something said of a ticker upon a document, so many minutes after AT."""
    at = AT + timedelta(minutes=minutes)
    return Saying(
        ticker, sign, source_id, **{"at": at, "led_at": at, "last_at": at, "catalyst": "contract_win", **given}
    )


def truth_line(one: Event) -> str:
    """An event as the sandbox writes it."""
    return json.dumps(
        {
            "event_id": one.event_id, "kind": one.kind, "at": one.at.isoformat(), "ticker": one.ticker,
            "catalyst": one.catalyst, "claimed_sign": one.claimed, "effects": dict(one.effects), "dispute": one.dispute,
            "jump_share": 0.4, "drift_hours": 24.0,
            "documents": [
                {"id": d.source_id, "role": d.role, "published_at": d.published_at.isoformat()} for d in one.documents
            ],
        }
    )  # fmt: skip


EVENTS = (
    event("win"),
    event("cut", ticker="BBB", catalyst="guidance_cut", claimed=-1, effects={"BBB": -0.03, "CCC": -0.007}),
    event("hoax", kind="false_rumour", ticker="CCC", effects={}),
)


def write_home(home: Path) -> None:
    """A home whose truth is EVENTS and whose pipeline found the win, took the cut for good news, and watched the hoax."""
    truth = home / "sandbox" / "truth" / "events.jsonl"
    truth.parent.mkdir(parents=True)
    truth.write_text("\n".join(truth_line(one) for one in EVENTS) + "\n")
    fill(Lake(lake_location(load_settings({"STONKS_HOME": str(home)}))))


def fill(lake: Lake) -> None:
    """What the pipeline stored."""
    stories = (
        ("win", "AAA", 0.8, "contract_win", "buy"),
        ("cut", "BBB", 0.4, "guidance_raise", "watch"),
        ("hoax", "CCC", 0.3, "contract_win", "watch"),
    )
    for name, ticker, score, catalyst, action in stories:
        prefix = "http://feed.example/rss!" if name == "hoax" else ""
        source = {"document_id": f"20260304-{name}", "ticker": ticker, "catalyst": catalyst, "sentiment": score}
        signal = {"signal_id": f"s-{name}", "origin_signal_id": f"s-{name}", "layer": "company"}
        trend = {"trend_id": f"t-{name}", "ticker": ticker, "window": "1d", "score": score, "direction": "bullish"}
        evidence = {"rank": 1, "stance": "supporting", "signal_id": f"s-{name}", "document_id": f"20260304-{name}"}
        recommended = {"recommendation_id": f"r-{name}", "action": action, **trend}
        lake.merge(DOCUMENTS, [row(DOCUMENTS, **source, raw_item_id=f"{prefix}{name}-doc")])
        lake.merge(IMPACT_RECORDS, [row(IMPACT_RECORDS, impact_id=f"i-{name}", **source)])
        lake.merge(SIGNALS, [row(SIGNALS, **source, **signal)])
        lake.merge(TREND_HISTORY, [row(TREND_HISTORY, **trend)])
        lake.merge(TREND_EVIDENCE, [row(TREND_EVIDENCE, trend_id=f"t-{name}", **evidence)])
        lake.merge(RECOMMENDATIONS, [row(RECOMMENDATIONS, **recommended)])
        lake.merge(RECOMMENDATION_EVIDENCE, [row(RECOMMENDATION_EVIDENCE, recommendation_id=f"r-{name}", **evidence)])


def row(table: LakeTable, **given: Any) -> Mapping[str, Any]:
    """A row of a table on AT's day, known 20 minutes later; what is not given is empty."""
    filled: dict[str, Any] = {"day": AT.date().isoformat()}
    for column in table.schema:
        if pa.types.is_timestamp(column.type):
            filled.setdefault(column.name, SOON)
        elif pa.types.is_floating(column.type) or pa.types.is_integer(column.type):
            filled.setdefault(column.name, 0)
        else:
            filled.setdefault(column.name, b"" if pa.types.is_binary(column.type) else "")
    return filled | {name: value for name, value in given.items() if name in table.schema.names}
