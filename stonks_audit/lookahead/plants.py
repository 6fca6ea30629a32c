"""Rows that may not matter at an instant, made loud so that they would; and one that must. Pure: rows in, rows out.

future-dated   known in time, but published a day after the instant
undated        published when it was fetched, a second after the instant; as a raw row, without any date
revised        other bytes of an item, other figures of a bar, a split: all known a second after the instant
shifted        a record of the past that became known a second after the instant
in time        the same record, known at the very instant: it must count
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from stonks_core.identifiers import sha256_bytes
from stonks_core.stores.lake.action_tables import CORPORATE_ACTIONS
from stonks_core.stores.lake.silver_tables import GLOBAL_EVENTS, IMPACT_RECORDS, MARKET_SNAPSHOTS
from stonks_core.stores.lake.tables import LakeTable

Row = dict[str, Any]
SECOND = timedelta(seconds=1)
MARK = "-planted"
MOST = 60
"""Rows that each kind of plant is made of, the newest known ones."""
FUTURE, UNDATED, REVISED, SHIFTED, IN_TIME = "future-dated", "undated", "revised", "shifted", "in time"
_LOUD = {"impact": 1.0, "confidence": 1.0, "credibility": 1.0}


@dataclass
class Planting:
    """Rows to be merged by table, and how many of each kind there are."""

    rows: dict[LakeTable, list[Row]] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)

    def add(self, kind: str, table: LakeTable, rows: Iterable[Row]) -> None:
        """Add rows of a kind."""
        made = list(rows)
        self.rows.setdefault(table, []).extend(made)
        self.counts[kind] = self.counts.get(kind, 0) + len(made)


def is_planted(row: Mapping[str, Any]) -> bool:
    """Whether a row is a plant itself or was made of one, by the document that it names."""
    return MARK in str(row.get("document_id", ""))


def harmless(known: Mapping[LakeTable, list[Row]], at: datetime) -> Planting:
    """Plants out of rows known at an instant (by table, newest last) that may change nothing computed for it."""
    planting, late = Planting(), at + SECOND
    impacts, events = known.get(IMPACT_RECORDS, [])[-MOST:], known.get(GLOBAL_EVENTS, [])[-MOST:]
    dated = {"published_at": at + timedelta(days=1), "available_at": at - SECOND}
    fetched = {"published_at": late, "available_at": late}
    planting.add(FUTURE, IMPACT_RECORDS, (_impact(row, "future", dated) for row in impacts))
    planting.add(FUTURE, GLOBAL_EVENTS, (_event(row, "future", dated) for row in events))
    planting.add(UNDATED, IMPACT_RECORDS, (_impact(row, "undated", fetched) for row in impacts))
    planting.add(SHIFTED, IMPACT_RECORDS, (shifted(row, at, late) for row in impacts))
    planting.add(SHIFTED, GLOBAL_EVENTS, (_event(row, "shifted", {"available_at": late}) for row in events))
    bars = known.get(MARKET_SNAPSHOTS, [])[-MOST:]
    planting.add(REVISED, MARKET_SNAPSHOTS, (_bar(row, late) for row in bars))
    planting.add(REVISED, CORPORATE_ACTIONS, _splits(bars, late))
    for table, rows in known.items():
        if table.name.startswith("raw_"):
            whole = [row for row in rows if not row["part_of"]][-MOST:]
            planting.add(REVISED, table, (_raw(row, row["item_id"], row["published_at"], late) for row in whole))
            planting.add(UNDATED, table, (_raw(row, row["item_id"] + MARK, None, late) for row in whole))
    return planting


def shifted(row: Row, at: datetime, known_at: datetime) -> Row:
    """A loud record of half an hour before an instant, of a document of its own, known since `known_at`."""
    turned = -1.0 if row["sentiment"] > 0 else 1.0
    clocks = {"published_at": at - timedelta(minutes=30), "available_at": known_at}
    return _impact(row, "shifted", clocks) | {"sentiment": turned}


def _impact(row: Row, kind: str, clocks: Row) -> Row:
    name = f"{row['document_id']}{MARK}-{kind}"
    own = {"document_id": name, "cluster_id": name, "impact_id": f"{row['impact_id']}{MARK}-{kind}"}
    return row | _LOUD | own | clocks


def _event(row: Row, kind: str, clocks: Row) -> Row:
    name = f"{row['document_id']}{MARK}-{kind}"
    own = {"document_id": name, "cluster_id": name, "event_id": f"{row['event_id']}{MARK}-{kind}"}
    return row | own | {"severity": "critical", "confidence": 1.0, "credibility": 1.0} | clocks


def _bar(row: Row, late: datetime) -> Row:
    # The fullest feed speaks where two report a bar, so that this one would be preferred.
    return row | {"feed": "sip", "available_at": late} | {n: row[n] * 3 for n in ("high", "close", "volume")}


def _splits(bars: Iterable[Row], late: datetime) -> Iterable[Row]:
    """A 3:1 split of each bar's company, on the newest bar's day."""
    newest = {row["ticker"]: row for row in bars}
    blank: Row = {f.name: None for f in CORPORATE_ACTIONS.schema if f.nullable}
    plain = {"kind": "split", "provider": "polygon", "action_id": f"split{MARK}", "terms": "1:3", "raw_sha256": "0"}
    for ticker, row in newest.items():
        figures = {"split_from": 1.0, "split_to": 3.0, "ex_date": row["day"], "day": row["day"], "ticker": ticker}
        yield blank | plain | figures | {"published_at": late, "available_at": late}


def _raw(row: Row, item: str, published: datetime | None, late: datetime) -> Row:
    payload = bytes(row["payload"]) + b"\n"
    bytes_of = {"payload": payload, "sha256": sha256_bytes(payload)}
    return row | bytes_of | {"item_id": item, "published_at": published, "fetched_at": late, "available_at": late}
