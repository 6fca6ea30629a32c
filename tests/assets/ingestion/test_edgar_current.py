"""EDGAR's feed of current filings: a poll of five hundred companies costs a few requests, and nothing is missed."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stonks_assets.ingestion.edgar import SECEdgarAdapter
from stonks_assets.ingestion.edgar_listing import NEW_YORK, Looked
from stonks_assets.ingestion.protocol import RawItem
from stonks_core.errors import TransientError
from stonks_core.vocabulary import SourceType
from tests.assets.ingestion.asking import WrittenWeb, ask_for, universe

WWW, DATA = "https://www.sec.example", "https://data.sec.example"
FEED = f"{WWW}/cgi-bin/browse-edgar"
DAY = date(2026, 3, 10)
MANY = {f"T{number}": number for number in range(1, 501)}


def at(hour: int, minute: int = 0, day: date = DAY) -> datetime:
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=UTC)


@dataclass
class Filed:
    accession: str
    ciks: tuple[int, ...]
    accepted: datetime
    form: str = "8-K"
    documents: Mapping[str, str] = field(default_factory=lambda: {"8-K": "main.htm", "EX-99.1": "ex.htm"})


class LivingEdgar:
    """An EDGAR whose lists grow as time passes, with a memory for its adapter as the step keeps it."""

    def __init__(self, ciks: Mapping[str, int] = MANY, *, etags: bool = False) -> None:
        self.web, self.filed, self.ciks, self.etags = WrittenWeb(), list[Filed](), ciks, etags
        self.now, self.known = at(0), set[str]()
        self.memory: dict[str, str] = {}
        self.told: dict[str, str] = {}
        self.web.pages[FEED] = self._feed
        for cik in set(ciks.values()):
            self.web.pages[f"{DATA}/submissions/CIK{cik:010d}.json"] = self._submissions

    def file(self, accession: str, *ciks: int, accepted: datetime, **more: Any) -> None:
        filing = Filed(accession, ciks, accepted, **more)
        self.filed.append(filing)
        local = accepted.astimezone(NEW_YORK)
        rows = "".join(
            f'<tr><td>1</td><td>d</td><td><a href="/x/{name}">{name}</a></td><td>{kind}</td></tr>'
            for kind, name in filing.documents.items()
        )
        for cik in ciks:
            folder = f"{WWW}/Archives/edgar/data/{cik}/{accession.replace('-', '')}"
            header = f"<ACCEPTANCE-DATETIME>{local:%Y%m%d%H%M%S}"
            self.web.pages |= {
                f"{folder}/{accession}.hdr.sgml": httpx.Response(200, text=header),
                f"{folder}/{accession}-index.html": httpx.Response(
                    200, text=f'<table class="tableFile">{rows}</table>'
                ),
                **{f"{folder}/{name}": httpx.Response(200, text=name) for name in filing.documents.values()},
            }

    def _public(self) -> list[Filed]:
        return sorted((f for f in self.filed if f.accepted <= self.now), key=lambda f: f.accepted, reverse=True)

    def _feed(self, request: httpx.Request) -> httpx.Response:
        asked = request.url.params
        found = [(f, cik) for f in self._public() if f.form.startswith(asked["type"]) for cik in f.ciks]
        start = int(asked["start"])
        entries = "".join(
            f"<entry><title>{f.form} - NAME ({cik:010d}) (Filer)</title>"
            f'<link rel="alternate" href="{WWW}/Archives/edgar/data/{cik}/{f.accession}-index.htm"/>'
            f'<summary type="html">&lt;br&gt;Item 2.02: Results\n&lt;br&gt;Item 9.01: Exhibits</summary>'
            f"<updated>{f.accepted.astimezone(NEW_YORK).isoformat()}</updated>"
            f"<id>urn:tag:sec.gov,2008:accession-number={f.accession}</id></entry>"
            for f, cik in found[start : start + int(asked["count"])]
        )
        return httpx.Response(200, text=f'<feed xmlns="http://www.w3.org/2005/Atom"><title>t</title>{entries}</feed>')

    def _submissions(self, request: httpx.Request) -> httpx.Response:
        cik = int(re.findall(r"CIK(\d+)", str(request.url))[0])
        mine = [f for f in self._public() if cik in f.ciks]
        tag = {"etag": f'"{len(mine)}"'} if self.etags else {}
        if self.etags and request.headers.get("if-none-match") == tag["etag"]:
            return httpx.Response(304, headers=tag)
        recent = {
            "accessionNumber": [f.accession for f in mine],
            "form": [f.form for f in mine],
            "acceptanceDateTime": [f.accepted.strftime("%Y-%m-%dT%H:%M:%S.000Z") for f in mine],
        }
        return httpx.Response(200, json={"filings": {"recent": recent}}, headers=tag)

    def poll(self, now: datetime, *days: date) -> list[RawItem]:
        """Ask for some days as one run does; what is brought is known from then on."""
        self.now = now
        self.web.asked.clear()
        self.told.clear()
        adapter, brought = SECEdgarAdapter(self.web.fetcher(attempts=1), WWW, DATA), list[RawItem]()
        for day in days or (now.date(),):
            kept: dict[str, str] = {}
            asked, reports = ask_for(
                SourceType.FILINGS_API, day=day, as_of=now, known=frozenset(self.known), over=universe(**self.ciks)
            )
            asked = replace(asked, memory=dict(self.memory), remember=kept.__setitem__)
            items = list(adapter.fetch(asked))
            brought += items
            self.known |= {item.item_id for item in items}
            self.memory |= kept
            self.told |= reports.told
        return brought

    @property
    def lists(self) -> list[str]:
        """The lists that the last poll asked for."""
        return [url for url in self.web.urls if "submissions" in url or "browse-edgar" in url]


def names(items: list[RawItem]) -> list[str]:
    return [item.item_id for item in items]


def test_a_poll_of_five_hundred_companies_costs_a_few_requests() -> None:
    edgar = LivingEdgar()
    edgar.file("0000000001-26-000001", 7, accepted=at(9))
    for number in range(250):  # of others
        edgar.file(f"0000000002-26-{number:06d}", 9000 + number, accepted=at(13, number % 60))
    edgar.file("0000000001-26-000002", 400, accepted=at(13, 30), form="10-Q", documents={"10-Q": "q.htm"})
    edgar.file("0000000001-26-000003", 401, accepted=at(13, 59), form="4", documents={"4": "x.htm"})
    assert names(edgar.poll(at(12))) == ["0000000001-26-000001"]
    assert len(edgar.lists) == 500  # the first look lists everything
    (item,) = edgar.poll(at(14))
    assert len(edgar.web.asked) == len(edgar.lists) + 3 <= 9
    assert (item.item_id, item.ticker, item.published_at) == ("0000000001-26-000002", "T400", at(13, 30))
    assert item.detail["items"] == ["2.02", "9.01"]
    assert (item.detail["listed_by"], item.detail["listed_acceptance"]) == ("current", "2026-03-10T13:30:00+00:00")
    assert edgar.poll(at(15)) == []
    assert len(edgar.web.asked) <= 6


def test_a_feed_that_does_not_reach_back_is_no_proof_that_there_was_nothing() -> None:
    edgar = LivingEdgar({"AAA": 1})
    edgar.poll(at(8))
    edgar.file("0000000001-26-000001", 1, accepted=at(9))
    for number in range(2200):
        edgar.file(f"0000000002-26-{number:06d}", 9000, accepted=at(10))
    assert names(edgar.poll(at(11))) == ["0000000001-26-000001"]
    assert any("submissions" in url for url in edgar.lists)


def test_what_the_feed_did_not_tell_is_brought_once_a_day() -> None:
    edgar = LivingEdgar({"AAA": 1})
    edgar.poll(at(7))
    edgar.poll(at(8))
    edgar.web.pages[FEED] = httpx.Response(200, text='<feed xmlns="http://www.w3.org/2005/Atom"></feed>')
    edgar.file("0000000001-26-000001", 1, accepted=at(9))
    assert edgar.poll(at(10)) == []
    tomorrow = DAY + timedelta(days=1)
    assert names(edgar.poll(at(0, 30, tomorrow), DAY, tomorrow)) == ["0000000001-26-000001"]
    assert sum("submissions" in url for url in edgar.lists) == 1
    assert edgar.poll(at(1, 30, tomorrow), DAY, tomorrow) == []
    assert not any("submissions" in url for url in edgar.lists)
    edgar.poll(at(6, 30, tomorrow))
    assert sum("submissions" in url for url in edgar.lists) == 1
    edgar.poll(at(7, 30, tomorrow))
    assert not any("submissions" in url for url in edgar.lists)


def test_a_filing_around_midnight_stands_under_its_own_day() -> None:
    edgar = LivingEdgar({"AAA": 1})
    edgar.poll(at(23, 30))
    tomorrow = DAY + timedelta(days=1)
    edgar.file("0000000001-26-000001", 1, accepted=at(23, 59))
    edgar.file("0000000001-26-000002", 1, accepted=at(0, 5, tomorrow))
    items = edgar.poll(at(0, 30, tomorrow), DAY, tomorrow)
    assert [(item.item_id[-1], item.published_at) for item in items] == [("1", at(23, 59)), ("2", at(0, 5, tomorrow))]


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.integers(0, 3 * 24 * 60), max_size=12, unique=True),
    st.lists(st.integers(0, 3 * 24 * 60), min_size=1, max_size=25, unique=True),
)
def test_whenever_it_is_polled_each_filing_arrives_once_under_its_day(filed: list[int], polled: list[int]) -> None:
    edgar, brought = LivingEdgar({"AAA": 1, "BBB": 2}), list[RawItem]()
    instants = [at(0) + timedelta(minutes=minutes) for minutes in sorted(filed)]
    for number, accepted in enumerate(instants):
        edgar.file(f"0000000001-26-{number:06d}", 1 + number % 2, accepted=accepted)
    end = DAY + timedelta(days=3)
    polls = [at(0) + timedelta(minutes=minutes) for minutes in sorted(polled)] + [at(0, 1, end), at(5, 0, end)]
    for now in polls:
        yesterday = now.date() - timedelta(days=1)
        brought += edgar.poll(now, *([yesterday] if now.hour < 6 else []), now.date())
    asked = {now.date() for now in polls} | {now.date() - timedelta(days=1) for now in polls if now.hour < 6}
    last = {
        day: max(now for now in polls if now.date() == day or (now.date() == day + timedelta(days=1) and now.hour < 6))
        for day in asked
    }
    due = [i for i in instants if i.date() in asked and i <= last[i.date()]]
    assert sorted(item.published_at for item in brought if item.published_at) == due


def test_a_filing_of_two_filers_arrives_once() -> None:
    for first in (12, 6):
        edgar = LivingEdgar({"BBB": 2, "AAA": 1})
        edgar.poll(at(first - 1) if first == 12 else at(first))
        edgar.file("0000000001-26-000001", 1, 2, accepted=at(12, 30))
        (item,) = edgar.poll(at(13))
        assert item.ticker == "BBB"  # the universe's first
    whole = LivingEdgar({"BBB": 2, "AAA": 1})
    whole.file("0000000001-26-000001", 1, 2, accepted=at(12, 30))
    assert names(whole.poll(at(13))) == ["0000000001-26-000001"]


def test_two_classes_of_shares_are_one_company() -> None:
    edgar = LivingEdgar({"GOOG": 1, "GOOGL": 1})
    edgar.file("0000000001-26-000001", 1, accepted=at(9))
    assert [item.ticker for item in edgar.poll(at(12))] == ["GOOG"]
    assert len(edgar.lists) == 1


def test_a_filing_that_could_not_be_read_is_looked_for_again() -> None:
    edgar = LivingEdgar({"AAA": 1})
    edgar.poll(at(8))
    edgar.file("0000000001-26-000001", 1, accepted=at(9))
    header = next(url for url in edgar.web.pages if url.endswith(".hdr.sgml"))
    page, edgar.web.pages[header] = edgar.web.pages[header], httpx.Response(503)
    for hour in (10, 12, 14):
        assert edgar.poll(at(hour)) == []
        assert "could not be read" in edgar.told["0000000001-26-000001"]
    edgar.web.pages[header] = page
    assert names(edgar.poll(at(16))) == ["0000000001-26-000001"]
    assert not any("submissions" in url for url in edgar.lists)


@pytest.mark.parametrize("answer", [httpx.Response(404), httpx.Response(200, content=b"x" * 25_000_001)])
def test_an_exhibit_that_will_not_come_is_reported_and_the_filing_arrives(answer: httpx.Response) -> None:
    edgar = LivingEdgar({"AAA": 1})
    edgar.file("0000000001-26-000001", 1, accepted=at(9))
    exhibit = next(url for url in edgar.web.pages if url.endswith("ex.htm"))
    edgar.web.pages[exhibit] = answer
    (item,) = edgar.poll(at(12))
    assert [part.name for part in item.parts] == ["index", "main.htm"]
    assert "arrived without its EX-99.1" in edgar.told["0000000001-26-000001#ex.htm"]


def test_a_main_document_or_an_exhibit_that_may_yet_come_is_waited_for() -> None:
    for name, answer in (
        ("main.htm", httpx.Response(404)),
        ("main.htm", httpx.Response(503)),
        ("ex.htm", httpx.Response(503)),
    ):
        edgar = LivingEdgar({"AAA": 1})
        edgar.file("0000000001-26-000001", 1, accepted=at(9))
        edgar.web.pages[next(url for url in edgar.web.pages if url.endswith(name))] = answer
        assert edgar.poll(at(12)) == []
        assert "could not be read" in edgar.told["0000000001-26-000001"]


def test_pictures_and_portable_documents_are_no_press_releases() -> None:
    edgar = LivingEdgar({"AAA": 1})
    edgar.file(
        "0000000001-26-000001", 1, accepted=at(9), documents={"8-K": "m.htm", "EX-99.1": "r.pdf", "EX-99": "r.htm"}
    )
    (item,) = edgar.poll(at(12))
    assert [part.name for part in item.parts] == ["index", "m.htm", "r.htm"]


def test_lists_are_asked_for_conditionally_for_the_day_that_they_were_read_for() -> None:
    edgar = LivingEdgar({"AAA": 1, "BBB": 2}, etags=True)
    edgar.file("0000000001-26-000001", 1, accepted=at(2))
    past = at(12, day=DAY + timedelta(days=9))
    assert names(edgar.poll(past, DAY)) == ["0000000001-26-000001"]
    assert edgar.poll(past, DAY) == []
    assert all("if-none-match" in request.headers for request in edgar.web.asked)
    edgar.poll(past, DAY + timedelta(days=1))
    assert not any("if-none-match" in request.headers for request in edgar.web.asked)
    edgar.known.clear()
    edgar.memory.clear()
    header = next(url for url in edgar.web.pages if url.endswith(".hdr.sgml"))
    edgar.web.pages[header] = httpx.Response(503)
    edgar.poll(past, DAY)
    assert [key for key in edgar.memory if key.startswith("validators")] == [
        f"validators {DATA}/submissions/CIK0000000002.json"
    ]


@pytest.mark.parametrize(
    ("page", "failure"),
    [
        (httpx.Response(503), TransientError),
        (httpx.Response(200, text="<html>maintenance</html>"), TransientError),
        (httpx.Response(200, text='<feed xmlns="http://www.w3.org/2005/Atom"><entry>'), TransientError),
        (
            httpx.Response(
                200, text='<feed xmlns="http://www.w3.org/2005/Atom"><entry><title>x</title></entry></feed>'
            ),
            TransientError,
        ),
        (httpx.Response(403), None),
    ],
)
def test_a_feed_that_is_none_is_never_taken_as_empty(page: httpx.Response, failure: type[Exception] | None) -> None:
    edgar = LivingEdgar({"AAA": 1})
    edgar.poll(at(8))
    edgar.file("0000000001-26-000001", 1, accepted=at(9))
    edgar.web.pages[FEED] = page
    if failure:
        with pytest.raises(failure):
            edgar.poll(at(10))
    else:
        assert names(edgar.poll(at(10))) == ["0000000001-26-000001"]
        assert "submissions were listed instead" in edgar.told["current filings"]


def test_memory_that_is_none_means_that_everything_is_listed() -> None:
    for text in ("", "x", "[]", "{}", '{"whole": 3, "until": {}}'):
        assert Looked.read(text).since(DAY, at(12), timedelta(hours=6)) is None


def test_memory_is_plain_text() -> None:
    looked = (
        Looked.read("")
        .and_at(DAY, at(12), whole=True)
        .and_at(DAY + timedelta(days=2), at(1, 0, DAY + timedelta(days=2)), whole=False)
    )
    assert json.loads(looked.written())["whole"] == {}
    assert Looked.read(looked.written()) == looked
