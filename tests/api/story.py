"""One small true story in both stores: documents, signals, a trend, a recommendation, its entry, and a stop that left."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa

from stonks_core.identifiers import sha256_text
from stonks_core.stores.lake.gold_tables import RECOMMENDATION_EVIDENCE, RECOMMENDATIONS, TREND_HISTORY, TREND_WINDOWS
from stonks_core.stores.lake.lake import Lake
from stonks_core.stores.lake.silver_tables import (
    COMPETITIVE_SIGNALS,
    DOCUMENT_COMPANY_MENTIONS,
    DOCUMENT_INTELLIGENCE,
    DOCUMENTS,
    GLOBAL_EVENTS,
    IMPACT_RECORDS,
    MACRO_IMPACTS,
)
from stonks_core.stores.lake.tables import LakeTable
from stonks_core.stores.postgres import Database
from tests.api.trades import ACCOUNT, AS_OF, decide, fill, order

ENTRY, STOP, OPEN = "so-entry-0001", "so-stop-0002", "so-entry-0003"
RECOMMENDATION, TREND = "rec-0001", "trend-0001"
QUOTE = "Acme raised its full-year outlook <script>alert('x')</script> & beat estimates."
NEWS, MACRO, RIVAL = "20260304-news-acme", "20260303-macro-oil", "20260302-news-bolt"
TEXTS = {
    NEWS: f"Acme Corp. reports.\n\n{QUOTE} Shares rose.",
    MACRO: "Oil prices fell sharply after the cartel met. Analysts were surprised.",
    RIVAL: "Bolt Industries lost its largest contract to Acme on Monday.",
}
QUOTES = {
    NEWS: QUOTE,
    MACRO: "Oil prices fell sharply after the cartel met.",
    RIVAL: TEXTS[RIVAL],
}
_ZERO: Mapping[Any, Any] = {pa.string(): "", pa.float64(): 0.0, pa.int64(): 0, pa.bool_(): False, pa.binary(): b""}


def row(table: LakeTable, day: str, **given: Any) -> dict[str, Any]:
    """A row with every column filled: zero values, the story's instant, or what is given."""
    plain = {f.name: None if f.nullable else _ZERO.get(f.type, AS_OF) for f in table.schema}
    unknown = set(given) - set(plain)
    assert not unknown, f"{table.name} has no {unknown}"
    return {**plain, "day": day, **given}


def day_of(document_id: str) -> str:
    return f"{document_id[:4]}-{document_id[4:6]}-{document_id[6:8]}"


def document(document_id: str, text: str, **given: Any) -> dict[str, Any]:
    shared = {
        "document_type": "news",
        "source_type": "news_api",
        "source_name": "Wire",
        "title": f"About {document_id}",
        "publisher": "The Daily Wire",
        "url": f"https://news.example/{document_id}",
        "canonical_url": f"https://news.example/{document_id}",
        "text": text,
        "sha256": sha256_text(text),
        "characters": len(text),
        "status": "parsed",
        "cluster_id": document_id,
        "origin_document_id": document_id,
        "published_at": AS_OF - timedelta(hours=2),
        "available_at": AS_OF - timedelta(hours=1),
    }
    return row(DOCUMENTS, day_of(document_id), document_id=document_id, **shared | given)


def _quoted(document_id: str) -> dict[str, Any]:
    text, quote = TEXTS[document_id], QUOTES[document_id]
    start = text.index(quote)
    return {
        "quote": quote,
        "quote_start": start,
        "quote_end": start + len(quote),
        "document_sha256": sha256_text(text),
    }


def tell_lake(lake: Lake) -> None:
    """The pipeline's side."""
    lake.merge(
        DOCUMENTS,
        [
            document(NEWS, TEXTS[NEWS], title="Acme <b>beats</b>", ticker="ACME"),
            document(MACRO, TEXTS[MACRO], document_type="macro_event", publisher=""),
            document(RIVAL, TEXTS[RIVAL]),
        ],
    )
    lake.merge(
        DOCUMENT_COMPANY_MENTIONS,
        [
            row(
                DOCUMENT_COMPANY_MENTIONS,
                day_of(NEWS),
                document_id=NEWS,
                ticker="ACME",
                surface="Acme Corp.",
                kind="legal_name",
                start=0,
                end=10,
            )
        ],
    )
    lake.merge(
        DOCUMENT_INTELLIGENCE,
        [
            row(
                DOCUMENT_INTELLIGENCE,
                day_of(NEWS),
                document_id=NEWS,
                status="extracted",
                summary="Acme did well",
                model="stonks-rules",
                impacts_kept=1,
            )
        ],
    )
    impact = {"sentiment": 0.8, "impact": 0.7, "confidence": 0.9}
    lake.merge(
        IMPACT_RECORDS,
        [
            row(
                IMPACT_RECORDS,
                day_of(NEWS),
                impact_id="imp-acme",
                document_id=NEWS,
                ticker="ACME",
                catalyst="guidance_raise",
                horizon="weeks",
                **impact,
                **_quoted(NEWS),
            ),
            row(
                IMPACT_RECORDS,
                day_of(RIVAL),
                impact_id="imp-bolt",
                document_id=RIVAL,
                ticker="BOLT",
                catalyst="contract_loss",
                horizon="weeks",
                **impact,
                **_quoted(RIVAL),
            ),
        ],
    )
    lake.merge(
        GLOBAL_EVENTS,
        [
            row(
                GLOBAL_EVENTS,
                day_of(MACRO),
                event_id="ev-oil",
                document_id=MACRO,
                type="supply",
                severity="high",
                **_quoted(MACRO),
            )
        ],
    )
    lake.merge(
        MACRO_IMPACTS,
        [
            row(
                MACRO_IMPACTS,
                day_of(MACRO),
                macro_impact_id="mac-acme",
                event_id="ev-oil",
                document_id=MACRO,
                ticker="ACME",
            )
        ],
    )
    lake.merge(
        COMPETITIVE_SIGNALS,
        [
            row(
                COMPETITIVE_SIGNALS,
                day_of(RIVAL),
                competitive_id="cmp-acme",
                impact_id="imp-bolt",
                document_id=RIVAL,
                source_ticker="BOLT",
                ticker="ACME",
                relationship="direct_competitor",
            )
        ],
    )
    lake.merge(TREND_HISTORY, [trend()])
    lake.merge(
        TREND_WINDOWS,
        [
            trend(as_of=AS_OF + timedelta(hours=2), trend_id="trend-later", score=0.1, volatility=float("nan")),
            trend(ticker="BOLT", trend_id="trend-bolt", score=-0.4, direction="bearish"),
        ],
    )
    lake.merge(
        RECOMMENDATIONS,
        [recommendation(), recommendation("rec-bolt", ticker="BOLT", action="sell", trend_id="trend-bolt")],
    )
    lake.merge(RECOMMENDATION_EVIDENCE, evidence())


def trend(**given: Any) -> dict[str, Any]:
    plain: dict[str, Any] = {
        "trend_id": TREND,
        "ticker": "ACME",
        "window": "7d",
        "score": 0.72,
        "strength": 0.6,
        "confidence": 0.7,
        "contradiction": 0.1,
        "direction": "bullish",
        "input_versions": '{"signals": 3}',
        "volatility": None,
    }
    return row(TREND_HISTORY, "2026-03-04", **plain | given)


def recommendation(name: str = RECOMMENDATION, **given: Any) -> dict[str, Any]:
    plain: dict[str, Any] = {
        "recommendation_id": name,
        "identity": f"id-{name}",
        "trend_id": TREND,
        "ticker": "ACME",
        "window": "7d",
        "action": "buy",
        "mode": "paper_eligible",
        "risk_class": "moderate",
        "score": 0.72,
        "strength": 0.6,
        "confidence": 0.7,
        "thesis": "Buy Acme: <img src=x onerror=alert(1)> the outlook rose.",
        "thesis_author": "template",
        "reference_price": None,
        "input_versions": '{"signals": 3}',
        "expires_at": AS_OF + timedelta(days=3),
    }
    return row(RECOMMENDATIONS, "2026-03-04", **plain | given)


def evidence() -> list[dict[str, Any]]:
    ranked = ((NEWS, "company", "imp-acme"), (MACRO, "macro", "mac-acme"), (RIVAL, "competitive", "cmp-acme"))
    return [
        row(
            RECOMMENDATION_EVIDENCE,
            "2026-03-04",
            recommendation_id=RECOMMENDATION,
            rank=rank,
            signal_id=f"sig-{rank}",
            layer=layer,
            source_record_id=record,
            document_id=name,
            stance="contradicting" if layer == "macro" else "supporting",
            weight=1.0 / rank,
            **_quoted(name),
        )
        for rank, (name, layer, record) in enumerate(ranked, 1)
    ]


def tamper(lake: Lake, document_id: str = NEWS) -> None:
    """Rewrite a stored document behind the pipeline's back, its recorded hash kept."""
    changed = document(document_id, TEXTS[document_id].replace("raised", "cut   "))
    lake.delete(DOCUMENTS, f"day = '{day_of(document_id)}' AND document_id = '{document_id}'")
    lake.merge(DOCUMENTS, [{**changed, "sha256": sha256_text(TEXTS[document_id])}])


def tell_database(database: Database) -> None:
    """Trading's side: an entry that was filled, the stop that left it, and an entry that is open."""
    with database.connection() as connection:
        connection.execute(
            """
            INSERT INTO companies (ticker, legal_name, sector, industry) VALUES
                ('ACME', 'Acme Corp.', 'Industrials', 'Anvils'), ('BOLT', 'Bolt <Industries>', 'Industrials', 'Bolts')
            """
        )
        connection.execute(
            "INSERT INTO company_aliases (company_id, alias) SELECT company_id, 'Acme' FROM companies WHERE ticker = 'ACME'"
        )
        connection.execute(
            """
            INSERT INTO competitor_relationships (company_id, competitor_id, relationship, strength)
            SELECT a.company_id, b.company_id, 'direct_competitor', 0.8 FROM companies a, companies b
            WHERE a.ticker = 'BOLT' AND b.ticker = 'ACME'
            """
        )
        connection.execute(
            """
            INSERT INTO broker_accounts (account_id, mode, sandbox, status, cash, equity, buying_power, last_equity,
                synced_at) VALUES (%s, 'paper', true, 'ACTIVE', 950.25, 1010.5, 950.25, 1000, %s)
            """,
            (ACCOUNT, AS_OF),
        )
    opened = AS_OF + timedelta(minutes=6)
    decide(database, "dec-entry", "recommendation", RECOMMENDATION, "Buy $50.00 of ACME.", AS_OF + timedelta(minutes=5))
    order(database, ENTRY, "dec-entry", RECOMMENDATION, notional=50, broker_order_id="alp-aaaa")
    fill(database, ENTRY, "buy", 5, 10, opened)
    levels = {"stop": "9.5", "take_profit": "12", "price": "9.4", "cost": "10", "opened_at": opened.isoformat()}
    decide(
        database,
        "dec-stop",
        "stop",
        RECOMMENDATION,
        "Sell 5 shares of ACME: $9.4 is at or below its stop of $9.5.",
        AS_OF + timedelta(hours=3),
        {"inputs": levels, "clamps": [], "order": None},
    )
    order(database, STOP, "dec-stop", RECOMMENDATION, side="sell", purpose="stop", quantity=5)
    fill(database, STOP, "sell", 5, Decimal("9.4"), AS_OF + timedelta(hours=3, minutes=1), pnl=-3)
    decide(database, "dec-skip", "recommendation", "rec-bolt", "BOLT is not held.", AS_OF, outcome="skip")
    decide(database, "dec-gone", "recommendation", "rec-gone", "Buy more.", AS_OF + timedelta(hours=4))
    order(database, OPEN, "dec-gone", "rec-gone", notional=20, state="accepted", ticker="BOLT")
    database.execute(
        """
        INSERT INTO positions (account_id, ticker, quantity, cost, price, price_at, sector, opened_at, updated_at)
        VALUES (%(a)s, 'BOLT', 2.5, 20, 24, %(t)s, 'Industrials', %(t)s, %(t)s), (%(a)s, 'ACME', 0, 0, NULL, NULL, '', NULL, %(t)s)
        """,
        {"a": ACCOUNT, "t": AS_OF},
    )
    database.execute(
        """
        INSERT INTO position_stop_levels (account_id, ticker, entry, stop, initial_stop, take_profit, atr, highest,
            opened_at, updated_at) VALUES (%(a)s, 'BOLT', 20, 18.5, 18, 26, 1, 24, %(t)s, %(t)s)
        """,
        {"a": ACCOUNT, "t": AS_OF},
    )


def fail(database: Database, items: Sequence[str], status: str = "open") -> None:
    for number, item in enumerate(items):
        at = AS_OF + timedelta(seconds=number)
        database.execute(
            "INSERT INTO failures (stage, item, error, status, first_at, last_at) VALUES ('extraction', %s, %s, %s, %s, %s)",
            (item, f"{item} could not be read <b>", status, at, at),
        )
