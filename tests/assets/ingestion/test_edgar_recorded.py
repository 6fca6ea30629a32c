"""EDGAR as it really answered: the feed of the current filings, and acceptance times that equal their headers'."""

import re
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from stonks_assets.ingestion.edgar import SECEdgarAdapter
from stonks_assets.ingestion.edgar_listing import NEW_YORK, OFFSETS, CurrentFeed, Listed, Submissions
from stonks_assets.ingestion.http import Validators
from stonks_core.vocabulary import SourceType
from tests.assets.ingestion.asking import WrittenWeb, ask_for, universe

WWW, DATA = "https://www.sec.example", "https://data.sec.example"
FEED = f"{WWW}/cgi-bin/browse-edgar"


def at(hour: int, minute: int = 0, *, day: date) -> datetime:
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=UTC)


@pytest.fixture
def recorded(shared_data: Path) -> Path:
    return shared_data / "edgar_http"


def test_the_recorded_feed_is_read(recorded: Path) -> None:
    feed = next(recorded.glob("*browse-edgar*atom"))
    web = WrittenWeb({FEED: httpx.Response(200, content=feed.read_bytes())})
    found = CurrentFeed(web.fetcher(), WWW).since(
        at(16, 25, day=date(2026, 1, 12)), ["4", "8-K"], at(16, 29, day=date(2026, 1, 12))
    )
    assert found
    assert (
        Listed("0000080661-26-000032", "4", 80661, at(16, 26, day=date(2026, 1, 12)).replace(second=36), (), "current")
        in found
    )
    assert len(web.asked) == 2
    assert "type=4" in web.urls[0]


@pytest.mark.parametrize(("ticker", "cik", "offsets"), [("AAPL", 320193, OFFSETS[1:]), ("TSLA", 1318605, OFFSETS[:1])])
def test_listed_times_are_their_headers_or_new_york_s_clock(
    shared_data: Path, recorded: Path, ticker: str, cik: int, offsets: tuple[timedelta, ...]
) -> None:
    web = WrittenWeb()
    for file in recorded.glob(f"data.sec.gov_submissions_CIK{cik:010d}*"):
        page = httpx.Response(200, content=file.read_bytes())
        web.pages[f"{DATA}/submissions/{file.name.removeprefix('data.sec.gov_submissions_')}"] = page
    headers = {
        file.stem.removesuffix(".hdr"): file for file in (shared_data / "replay/edgar" / ticker).glob("*/*.hdr.sgml")
    }
    assert len(headers) >= 5
    whole, _ = Submissions(web.fetcher(), DATA).of(cik, date(2024, 6, 1), Validators())
    listed = {filing.accession: filing for filing in whole}
    checked = 0
    for accession, file in headers.items():
        if (filing := listed.get(accession)) is None:
            continue
        folder = f"{WWW}/Archives/edgar/data/{cik}/{accession.replace('-', '')}"
        web.pages |= {
            f"{folder}/{accession}.hdr.sgml": httpx.Response(200, content=file.read_bytes()),
            f"{folder}/{accession}-index.html": httpx.Response(
                200,
                text='<table class="tableFile"><tr><td>1</td><td>d</td><td><a href="/m.htm">m</a></td><td>8-K</td></tr></table>',
            ),
            f"{folder}/m.htm": httpx.Response(200, text="m"),
        }
        stamp = re.findall(rb"<ACCEPTANCE-DATETIME>\s*(\d{14})", file.read_bytes())[0].decode()
        truth = datetime.strptime(stamp, "%Y%m%d%H%M%S").replace(tzinfo=NEW_YORK).astimezone(UTC)
        asked, reports = ask_for(
            SourceType.FILINGS_API, day=truth.date(), as_of=at(0, day=date(2026, 6, 1)), over=universe(**{ticker: cik})
        )
        items = {i.item_id: i for i in SECEdgarAdapter(web.fetcher(attempts=1), WWW, DATA).fetch(asked)}
        assert items[accession].published_at == truth
        assert truth - filing.stamp in offsets
        assert reports.told.keys() <= listed.keys() - {accession}
        checked += 1
    assert checked >= 5, f"{checked} of {len(headers)} headers are listed"
