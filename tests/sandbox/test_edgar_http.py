"""The EDGAR stand-in: refusals, feeds, submissions with their two clocks, archives byte for byte."""

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from stonks_sandbox.edgar import build_edgar
from stonks_sandbox.edgar.submissions import RECENT, columns, older_parts
from stonks_sandbox.world.clock import WallClock
from stonks_sandbox.world.forms import ITEMS, item_number, item_title
from stonks_sandbox.world.synthetic.world import SyntheticWorld

NOW = datetime(2026, 11, 22, 10, 41, 7, tzinfo=UTC)
NEW_YORK = ZoneInfo("America/New_York")
ATOM = "{http://www.w3.org/2005/Atom}"
CONTACT = {"User-Agent": "Test Suite someone@example.org"}


@pytest.fixture(scope="module")
def world() -> SyntheticWorld:
    return SyntheticWorld(7, WallClock(lambda: NOW))


@pytest.fixture(scope="module")
def client(world: SyntheticWorld) -> Iterator[TestClient]:
    app = FastAPI()
    app.include_router(build_edgar(world), prefix="/edgar")
    with TestClient(app, headers=CONTACT) as connection:
        yield connection


@pytest.mark.parametrize("agent", ["", "python-httpx/0.28", "Mozilla/5.0 (no at sign)", "a@b"])
def test_undeclared_readers_are_refused(client: TestClient, agent: str) -> None:
    answer = client.get("/edgar/www/files/company_tickers.json", headers={"User-Agent": agent})
    assert answer.status_code == 403
    assert "Undeclared Automated Tool" in answer.text


def test_ticker_list(client: TestClient, world: SyntheticWorld) -> None:
    listed = client.get("/edgar/www/files/company_tickers.json").json()
    assert [row["ticker"] for row in listed.values()] == [company.ticker for company in world.companies()]
    assert all(isinstance(row["cik_str"], int) for row in listed.values())


def test_submissions_have_parallel_arrays_and_two_clocks(client: TestClient, world: SyntheticWorld) -> None:
    seen = set()
    for company in world.companies()[:8]:
        body = client.get(f"/edgar/data/submissions/CIK{company.cik:010d}.json").json()
        recent = body["filings"]["recent"]
        assert len({len(column) for column in recent.values()}) == 1
        assert body["tickers"] == [company.ticker]
        stamps = recent["acceptanceDateTime"]
        for accession, stamp in list(zip(recent["accessionNumber"], stamps, strict=True))[:3]:
            filing = world.filing(accession)
            assert filing is not None
            difference = filing.accepted_at - datetime.fromisoformat(stamp)
            expected = -filing.accepted_at.astimezone(NEW_YORK).utcoffset() if filing.cik % 3 == 0 else timedelta()  # type: ignore[operator]
            assert difference == expected
            seen.add(difference)
            header = re.search(rb"<ACCEPTANCE-DATETIME>(\d{14})", filing.header)
            assert header is not None
            local = datetime.strptime(header[1].decode(), "%Y%m%d%H%M%S").replace(tzinfo=NEW_YORK)
            assert local == filing.accepted_at
    assert len(seen) >= 2


def test_older_filings_go_to_further_files(world: SyntheticWorld) -> None:
    one = world.filings(NOW - timedelta(days=3), NOW)[0]
    many = [one] * (2 * RECENT + 5)
    assert [len(part) for part in older_parts(many)] == [RECENT, 5]
    assert len(columns(many[-RECENT:])["form"]) == RECENT
    assert older_parts(many[:RECENT]) == []


def test_current_feed_pages_hold_every_filing_once(client: TestClient, world: SyntheticWorld) -> None:
    address = "/edgar/www/cgi-bin/browse-edgar?action=getcurrent&type=8-K&output=atom"
    got: list[str] = []
    while True:
        feed = client.get(f"{address}&start={len(got)}&count=20")
        assert feed.headers["content-type"].startswith("application/atom+xml")
        entries = ET.fromstring(feed.content).findall(f"{ATOM}entry")  # noqa: S314
        got += [str(entry.findtext(f"{ATOM}id")).rpartition("=")[2] for entry in entries]
        for entry in entries:
            updated = datetime.fromisoformat(str(entry.findtext(f"{ATOM}updated")))
            assert updated.utcoffset() == timedelta(hours=-5)
        if len(entries) < 20:
            break
    expected = [filing.accession for filing in world.filings(NOW - timedelta(days=3), NOW)]
    assert got == expected[::-1]
    assert len(got) > 20
    assert not ET.fromstring(client.get(f"{address}&type=10-Q").content).findall(f"{ATOM}entry")  # noqa: S314


def test_archive_serves_documents_header_and_full_text(client: TestClient, world: SyntheticWorld) -> None:
    filing = world.filings(NOW - timedelta(days=2), NOW)[-1]
    folder = f"/edgar/www/Archives/edgar/data/{filing.cik}/{filing.accession.replace('-', '')}"
    for document in filing.documents:
        answer = client.get(f"{folder}/{document.filename}")
        assert answer.content == document.content
        assert answer.headers["content-type"].startswith("text/html")
        assert answer.headers["last-modified"].endswith("GMT")
    assert client.get(f"{folder}/{filing.accession}.hdr.sgml").content == filing.header
    whole = client.get(f"{folder}/{filing.accession}.txt").content
    assert whole.startswith(filing.header)
    assert all(document.content in whole for document in filing.documents)
    assert whole.count(b"<DOCUMENT>") == len(filing.documents)
    for name in (f"{folder}/{filing.accession}-index.html", f"{folder}/{filing.accession}-index.htm"):
        page = client.get(name).text
        assert all(f"{document.filename}</a>" in page for document in filing.documents)
        assert f"{filing.accepted_at.astimezone(NEW_YORK):%Y-%m-%d %H:%M:%S}" in page
    short = client.get(f"/edgar/www/Archives/edgar/data/{filing.cik}/{filing.accession}-index.html")
    assert short.status_code == 200


def test_what_is_not_there_is_404(client: TestClient, world: SyntheticWorld) -> None:
    filing = world.filings(NOW - timedelta(days=2), NOW)[-1]
    folder = f"/edgar/www/Archives/edgar/data/{filing.cik}/{filing.accession.replace('-', '')}"
    for path in (
        f"{folder}/other.htm",
        f"/edgar/www/Archives/edgar/data/1/{filing.accession.replace('-', '')}/{filing.documents[0].filename}",
        "/edgar/www/Archives/edgar/data/x/y/z",
        "/edgar/data/submissions/CIK0000000001.json",
        "/edgar/data/submissions/anything.json",
        "/edgar/www/cgi-bin/browse-edgar?action=getcompany",
    ):
        assert client.get(path).status_code == 404, path


def test_items_have_numbers_and_titles() -> None:
    for number, title in ITEMS.items():
        assert item_number(title) == number
        assert item_number(f" {title.upper()} ") == number
        assert item_title(number) == title
    assert item_number("Something new") == "Something new"
    assert item_number("<ITEMS>1.05") == "1.05"
    assert item_title("Something new") == "Something new"
