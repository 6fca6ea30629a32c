"""The check of listed acceptance times, over a real table and inside the graph."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from stonks_assets.ingestion.committing import rows_of
from stonks_assets.ingestion.filing_checks import LISTED_ACCEPTANCE, listed_acceptance_check, strange_acceptances
from stonks_assets.ingestion.http import Answer
from stonks_assets.ingestion.protocol import RawItem, RawPart
from stonks_assets.ingestion.seeding import seed_registry
from stonks_assets.ingestion.step import ingest
from stonks_core.registry.universe import Source
from stonks_core.stores.lake.bronze_tables import raw_table
from stonks_core.stores.lake.lake import Lake
from stonks_core.vocabulary import SourceType
from tests.assets.ingestion.asking import NOON, TODAY
from tests.assets.ingestion.conftest import SANDBOX_NOW, PipelineAt

TABLE = raw_table(SourceType.FILINGS_API)
SOURCE = Source("s-1", SourceType.FILINGS_API, "EDGAR", {}, 0.95, "", None)
HEADER = b"<SEC-HEADER>\n<ACCEPTANCE-DATETIME>20260310080500\n"  # 12:05 UTC


def commit(lake: Lake, accession: str, detail: dict[str, str], header: bytes = HEADER) -> None:
    answer = Answer("https://www.sec.example/h", 200, {}, header, NOON)
    part = RawPart("index", "filing_index", answer)
    item = RawItem(accession, "filing", answer, published_at=NOON - timedelta(hours=1), detail=detail, parts=(part,))
    lake.merge(TABLE, list(rows_of(SOURCE, TODAY, item)))


@pytest.mark.parametrize("hours", [0, 4, 5])
def test_listed_times_that_are_explained(lake: Lake, hours: int) -> None:
    listed = datetime(2026, 3, 10, 12, 5, tzinfo=UTC) - timedelta(hours=hours)
    commit(lake, "a", {"listed_acceptance": listed.isoformat()})
    assert strange_acceptances(lake, (TODAY, TODAY)) == ""


@pytest.mark.parametrize(
    ("detail", "header"),
    [
        ({"listed_acceptance": "2026-03-10T12:06:00+00:00"}, HEADER),
        ({"listed_acceptance": "2026-03-10T13:05:00+00:00"}, HEADER),
        ({"listed_acceptance": "2026-03-10T06:05:00+00:00"}, HEADER),
        ({"listed_acceptance": "2026-03-10T12:05:00"}, HEADER),
        ({"listed_acceptance": "noon"}, HEADER),
        ({}, HEADER),
        ({"listed_acceptance": "2026-03-10T12:05:00+00:00"}, b"no header"),
    ],
)
def test_listed_times_that_nothing_explains(lake: Lake, detail: dict[str, str], header: bytes) -> None:
    commit(lake, "good", {"listed_acceptance": "2026-03-10T12:05:00+00:00"})
    commit(lake, "bad", detail, header)
    assert strange_acceptances(lake, (TODAY, TODAY)).startswith("1 of 2 filings from 2026-03-10 to 2026-03-10")
    assert "such as bad" in strange_acceptances(lake, (TODAY, TODAY))
    yesterday = TODAY - timedelta(days=1)
    assert strange_acceptances(lake, (yesterday, yesterday)) == ""


def test_the_sandbox_s_filings_are_explained_in_both_clocks(pipeline_at: PipelineAt) -> None:
    pipeline = pipeline_at()
    seed_registry(pipeline)
    for day in (TODAY - timedelta(days=1), TODAY):
        ingest(pipeline, SourceType.FILINGS_API, day, SANDBOX_NOW)
    days = (TODAY - timedelta(days=1), TODAY)
    rows = [row for row in pipeline.lake.read(TABLE, days=days).to_pylist() if row["part_of"] is None]
    apart = {
        row["published_at"] - datetime.fromisoformat(json.loads(row["detail"])["listed_acceptance"]) for row in rows
    }
    assert timedelta(0) in apart
    assert len(apart) == 2  # the sandbox stamps some filers in New York's clock
    assert strange_acceptances(pipeline.lake, days) == ""


def test_the_check_stands_on_the_raw_filings() -> None:
    (key,) = listed_acceptance_check().check_keys
    assert (key.asset_key.to_user_string(), key.name) == (TABLE.name, LISTED_ACCEPTANCE)
