"""What the stages of a book said, read from its lake: one row for each ticker, side and document, never each repetition."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from stonks_assets.aggregation.windows import SHAPES
from stonks_cli.score.hearsay import Call, sign_of
from stonks_cli.score.stages import EXTRACTION, Saying
from stonks_core.stores.lake.duck import LakeSql
from stonks_core.stores.lake.gold_tables import RECOMMENDATION_EVIDENCE, RECOMMENDATIONS, TREND_EVIDENCE, TREND_HISTORY
from stonks_core.stores.lake.lake import Lake
from stonks_core.stores.lake.silver_tables import DOCUMENTS, IMPACT_RECORDS, MACRO_IMPACTS, SIGNALS
from stonks_core.vocabulary import Window

TABLES = (
    *(DOCUMENTS, IMPACT_RECORDS, MACRO_IMPACTS, SIGNALS),
    *(TREND_HISTORY, TREND_EVIDENCE, RECOMMENDATIONS, RECOMMENDATION_EVIDENCE),
)
_SOURCES = "SELECT document_id, regexp_replace(raw_item_id, '^.*!', '') AS source_id FROM documents"
"""A raw item's name ends in the id that its source gave it; a feed's address and an exclamation mark may stand before."""
_RECORDS = f"""
    SELECT r.ticker, r.sentiment, r.impact, s.source_id, r.document_id, r.catalyst, r.available_at AS at
    FROM (SELECT ticker, sentiment, impact, document_id, catalyst, available_at FROM impact_records UNION ALL
          SELECT ticker, sentiment, impact, document_id, 'macro', available_at FROM macro_impacts) r
    JOIN ({_SOURCES}) s USING (document_id)
"""
_SIGNALS = f"""
    SELECT r.ticker, r.sentiment, s.source_id, r.document_id, r.catalyst, r.available_at AS at
    FROM signals r JOIN ({_SOURCES}) s USING (document_id) WHERE r.signal_id = r.origin_signal_id
"""
_LED = """
    SELECT ticker, "window", side, source_id, document_id, min(as_of) AS at,
           min(as_of) FILTER (WHERE place = 1) AS led_at, max(as_of) FILTER (WHERE place = 1) AS last_at
    FROM ({said}) JOIN ({sources}) s USING (document_id) GROUP BY ALL
"""
_TRENDS = """
    SELECT t.ticker, t."window", CASE t.direction WHEN 'bullish' THEN 1 ELSE -1 END AS side, t.as_of, e.document_id,
           row_number() OVER (PARTITION BY t.trend_id ORDER BY e.rank) AS place
    FROM trend_history t JOIN trend_evidence e USING (trend_id)
    WHERE e.stance = 'supporting' AND t.direction IN ('bullish', 'bearish')
"""
_RECOMMENDATIONS = """
    SELECT r.ticker, r."window", sign(r.score)::int AS side, r.as_of, e.document_id,
           row_number() OVER (PARTITION BY r.recommendation_id ORDER BY e.rank) AS place
    FROM recommendations r JOIN recommendation_evidence e USING (recommendation_id)
    WHERE e.stance = 'supporting' AND r.action IN ({actions})
"""
_QUERIES: Mapping[str, str] = {
    EXTRACTION: _RECORDS,
    "signals": _SIGNALS,
    "trends": _LED.format(said=_TRENDS, sources=_SOURCES),
    "recommendations": _LED.format(said=_RECOMMENDATIONS.format(actions="'buy', 'sell', 'watch'"), sources=_SOURCES),
    "calls": _LED.format(said=_RECOMMENDATIONS.format(actions="'buy', 'sell'"), sources=_SOURCES),
}


class Book:
    """A lake, asked about its judgement. Close it afterwards."""

    def __init__(self, lake: Lake) -> None:
        self._sql = LakeSql(lake, TABLES)

    def close(self) -> None:
        """Let the connection go."""
        self._sql.close()

    def sayings(self) -> dict[str, list[Saying]]:
        """What each stage said, by stage."""
        return {stage: [_saying(row) for row in self._sql.rows(query)] for stage, query in _QUERIES.items()}

    def calls(self) -> list[Call]:
        """Every buy and sell."""
        rows = self._sql.rows(
            "SELECT ticker, \"window\", sign(score)::int AS side, as_of FROM recommendations WHERE action IN ('buy', 'sell')"
        )
        spans = {str(window): SHAPES[window].span or timedelta(days=1) for window in Window}
        return [Call(row["ticker"], row["side"], row["as_of"], spans[row["window"]]) for row in rows]

    def arrived(self) -> dict[str, str]:
        """The documents that came in: their own ids by those that their sources give them."""
        return {row["source_id"]: row["document_id"] for row in self._sql.rows(_SOURCES)}

    def span(self) -> tuple[datetime, datetime] | None:
        """The first and last instant that trends were computed for; None where there are none."""
        row: Sequence[dict[str, Any]] = self._sql.rows(
            "SELECT min(as_of) AS first, max(as_of) AS last FROM trend_history"
        )
        return (row[0]["first"], row[0]["last"]) if row and row[0]["first"] else None


def _saying(row: Mapping[str, Any]) -> Saying:
    led = "led_at" in row
    return Saying(
        ticker=row["ticker"],
        sign=row["side"] if led else sign_of(row["sentiment"]),
        source_id=row["source_id"],
        at=row["at"],
        led_at=row["led_at"] if led else row["at"],
        last_at=row["last_at"] if led else row["at"],
        catalyst=row.get("catalyst", ""),
        sentiment=row.get("sentiment", 0.0),
        impact=row.get("impact", 0.0),
        document_id=row["document_id"],
    )
