"""The parsing stage against a real PostgreSQL and a real lake."""

import json
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from stonks_assets.parsing.step import materialise_documents
from stonks_assets.pipeline import Pipeline
from stonks_core.clock import ManualClock
from stonks_core.settings import Settings
from stonks_core.stores.lake.bronze_tables import raw_table
from stonks_core.stores.lake.lake import Lake
from stonks_core.stores.lake.silver_tables import DOCUMENT_COMPANY_MENTIONS, DOCUMENTS
from stonks_core.stores.postgres import Database
from stonks_core.vocabulary import SourceType

DAY = date(2026, 3, 2)
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
PROSE = "Orion Systems said that demand for its storage products was strong in the third quarter of the year. "


def raw(item: str, payload: dict[str, Any], minutes: int = 0, **changes: Any) -> dict[str, Any]:
    at = NOON - timedelta(hours=2) + timedelta(minutes=minutes)
    return {
        "day": DAY.isoformat(),
        "item_id": item,
        "sha256": (item * 64)[:64],
        "source_id": "source",
        "source_type": "news_api",
        "source_name": "Example Wire",
        "ticker": None,
        "kind": "article",
        "url": "https://example.com/",
        "http_status": 200,
        "response_headers": "{}",
        "media_type": "application/json",
        "payload": json.dumps(payload).encode(),
        "credibility": 0.6,
        "published_at": at,
        "fetched_at": at,
        "available_at": at,
        "backfilled": False,
    } | changes


def article(url: str, text: str = PROSE * 5) -> dict[str, Any]:
    return {"title": "Orion", "article_url": url, "description": text, "publisher": {"name": "W"}}


def store(lake: Lake, *rows: dict[str, Any]) -> None:
    for row in rows:
        lake.merge(raw_table(SourceType(row["source_type"])), [row])


@pytest.fixture
def pipeline(database: Database, lake: Lake) -> Pipeline:
    database.execute("INSERT INTO companies (ticker, legal_name) VALUES ('ORIN', 'Orion Systems Inc.')")
    return Pipeline(Settings(), lake, database, ManualClock(NOON))


def documents(lake: Lake) -> list[dict[str, Any]]:
    return sorted(lake.read(DOCUMENTS).to_pylist(), key=lambda row: str(row["raw_item_id"]))


def test_raw_rows_become_documents_once(pipeline: Pipeline, lake: Lake) -> None:
    copy = raw("b", article("https://other.example/copy"), 5, source_type="macro_news")
    store(lake, raw("a", article("https://example.com/a")), copy)
    report = materialise_documents(pipeline, DAY, NOON)
    first, second = documents(lake)
    assert (report.written["documents"], report.failed) == (2, 0)
    assert (first["document_type"], second["document_type"]) == ("news", "macro_event")
    assert first["cluster_id"] == second["cluster_id"] == first["document_id"]
    mentions = lake.read(DOCUMENT_COMPANY_MENTIONS).to_pylist()
    texts = {row["document_id"]: row["text"] for row in (first, second)}
    assert {m["ticker"] for m in mentions} == {"ORIN"}
    assert all(texts[m["document_id"]][m["start"] : m["end"]] == m["surface"] for m in mentions)
    versions = [lake.version(table) for table in (DOCUMENTS, DOCUMENT_COMPANY_MENTIONS)]
    again = materialise_documents(pipeline, DAY, NOON)
    assert set(again.written.values()) == {0}
    assert versions == [lake.version(table) for table in (DOCUMENTS, DOCUMENT_COMPANY_MENTIONS)]


def test_the_same_article_from_two_vendors_is_one_document(pipeline: Pipeline, lake: Lake) -> None:
    store(lake, raw("a", article("https://example.com/a")))
    materialise_documents(pipeline, DAY, NOON)
    store(lake, raw("b", article("https://EXAMPLE.com/a?utm_source=x", "Another text. " * 40), 5))
    assert materialise_documents(pipeline, DAY, NOON).written["documents"] == 0
    assert [row["raw_item_id"] for row in documents(lake)] == ["a"]


def test_the_first_version_of_an_item_stands(pipeline: Pipeline, lake: Lake) -> None:
    store(lake, raw("a", article("https://example.com/a")))
    materialise_documents(pipeline, DAY, NOON)
    store(lake, raw("a", article("https://example.com/a", "Edited. " * 40), 9, sha256="f" * 64))
    materialise_documents(pipeline, DAY, NOON)
    assert documents(lake)[0]["raw_sha256"] == "a" * 64


def test_what_is_not_known_yet_is_not_parsed(pipeline: Pipeline, lake: Lake) -> None:
    store(lake, raw("a", article("https://example.com/a"), 10))
    materialise_documents(pipeline, DAY, NOON - timedelta(hours=2))
    assert lake.read(DOCUMENTS).num_rows == 0


def test_a_bad_row_fails_alone_and_once(pipeline: Pipeline, lake: Lake) -> None:
    bad = raw("bad", {}) | {"payload": b"<html>gateway time-out</html>"}
    store(lake, bad, raw("good", article("https://example.com/a"), 3))
    assert materialise_documents(pipeline, DAY, NOON).failed == 1
    assert len(documents(lake)) == 1
    row = pipeline.database.fetch_one("SELECT stage, item, status, error, attempts FROM failures")
    assert row is not None
    assert (row["stage"], row["item"], row["status"]) == ("parsing", "news_api/bad@badbadbadbad", "open")
    assert "is not JSON" in row["error"]
    assert materialise_documents(pipeline, DAY, NOON).failed == 0
    store(lake, raw("bad", article("https://example.com/b"), 7, sha256="e" * 64))
    materialise_documents(pipeline, DAY, NOON)
    assert len(documents(lake)) == 2
    pipeline.database.execute("UPDATE failures SET status = 'replay'")
    assert materialise_documents(pipeline, DAY, NOON).failed == 0


def test_a_kill_between_the_two_tables_is_healed(pipeline: Pipeline, lake: Lake) -> None:
    store(lake, raw("a", article("https://example.com/a")))
    materialise_documents(pipeline, DAY, NOON)
    whole = lake.read(DOCUMENTS).to_pylist(), lake.read(DOCUMENT_COMPANY_MENTIONS).to_pylist()
    lake.delete(DOCUMENTS, "true")  # as if the process had died after the mentions were written
    materialise_documents(pipeline, DAY, NOON)
    assert (lake.read(DOCUMENTS).to_pylist(), lake.read(DOCUMENT_COMPANY_MENTIONS).to_pylist()) == whole


def test_a_copy_of_yesterday_joins_its_cluster(pipeline: Pipeline, lake: Lake) -> None:
    yesterday = DAY - timedelta(days=1)
    store(lake, raw("a", article("https://example.com/a"), -24 * 60, day=yesterday.isoformat()))
    materialise_documents(pipeline, yesterday, NOON)
    store(lake, raw("b", article("https://other.example/b")))
    materialise_documents(pipeline, DAY, NOON)
    origin, copy = documents(lake)
    assert copy["cluster_id"] == copy["origin_document_id"] == origin["document_id"]
