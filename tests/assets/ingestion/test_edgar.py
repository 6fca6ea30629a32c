"""EDGAR: what the listings say, what the headers know better, and recorded pages of the real thing."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stonks_assets.ingestion.edgar import SECEdgarAdapter, accepted_at, documents_of
from stonks_assets.ingestion.edgar_listing import Submissions
from stonks_assets.ingestion.http import Answer, Validators
from stonks_assets.ingestion.protocol import Ask, RawItem
from stonks_core.errors import PermanentError, TransientError
from stonks_core.vocabulary import SourceType
from tests.assets.ingestion.asking import NOON, Reports, WrittenWeb, ask_for, universe

WWW, DATA = "https://www.sec.example", "https://data.sec.example"
END = datetime(2026, 3, 11, tzinfo=UTC) - timedelta(seconds=1)


class Edgar:
    """A written-down EDGAR: one submissions page per company, and the folder of each filing."""

    def __init__(self) -> None:
        self.web = WrittenWeb()
        self.listed: dict[int, list[tuple[str, str, str]]] = {}

    def file(
        self,
        cik: int,
        accession: str,
        *,
        stamp: str,
        header: str | None,
        form: str = "8-K",
        exhibits: tuple[str, ...] = ("EX-99.1",),
    ) -> None:
        """List a filing under its own stamp, with a header that says when it was accepted (New York)."""
        self.listed.setdefault(cik, []).append((accession, form, stamp))
        folder = f"{WWW}/Archives/edgar/data/{cik}/{accession.replace('-', '')}"
        if header is not None:
            self.web.pages[f"{folder}/{accession}.hdr.sgml"] = httpx.Response(
                200, text=f"<SEC-HEADER>\n{header}\n</SEC-HEADER>"
            )
        row = '<tr><td>{0}</td><td>about</td><td><a href="/ix?doc=/x/{1}.htm">{1}.htm</a> iXBRL</td><td>{1}</td></tr>'
        rows = "".join(row.format(n, kind) for n, kind in enumerate((form, *exhibits, "GRAPHIC")))
        index = f'<table class="tableFile"><tr><th>Seq</th></tr>{rows}</table><table class="other"><tr><td>x</td></tr></table>'
        self.web.pages[f"{folder}/{accession}-index.html"] = httpx.Response(200, text=index)
        for kind in (form, *exhibits):
            self.web.pages[f"{folder}/{kind}.htm"] = httpx.Response(200, text=f"<p>{kind} of {accession}</p>")
        self.web.pages[f"{DATA}/submissions/CIK{cik:010d}.json"] = httpx.Response(200, json=self.submissions(cik))

    def submissions(self, cik: int) -> dict[str, Any]:
        return {"filings": {"recent": arrays(self.listed[cik]), "files": []}}

    def fetch(self, ask: Ask) -> list[RawItem]:
        return list(SECEdgarAdapter(self.web.fetcher(attempts=1), WWW, DATA).fetch(ask))


def arrays(listed: list[tuple[str, str, str]]) -> dict[str, list[str]]:
    return {
        "accessionNumber": [accession for accession, _, _ in listed],
        "form": [form for _, form, _ in listed],
        "primaryDocument": ["main.htm" for _ in listed],
        "acceptanceDateTime": [stamp for _, _, stamp in listed],
        "items": ["2.02,9.01" for _ in listed],
    }


def accepted(text: str) -> str:
    return f"<ACCEPTANCE-DATETIME>{text}"


@pytest.fixture
def edgar() -> Edgar:
    return Edgar()


def ask(**more: Any) -> tuple[Ask, Reports]:
    return ask_for(SourceType.FILINGS_API, **{"as_of": END, "over": universe(AAA=1), **more})


def test_a_filing_comes_with_header_main_document_and_press_releases(edgar: Edgar) -> None:
    edgar.file(
        1,
        "0001-26-000001",
        stamp="2026-03-10T12:05:00.000Z",
        header=accepted("20260310080500"),
        exhibits=("EX-99.1", "EX-99.2", "EX-10.1"),
    )
    asked, reports = ask()
    (item,) = edgar.fetch(asked)
    documents = [part for part in item.parts if part.kind == "filing_document"]
    assert (item.item_id, item.kind, item.ticker) == ("0001-26-000001", "filing", "AAA")
    assert item.published_at == datetime(2026, 3, 10, 12, 5, tzinfo=UTC)
    assert [document.detail["type"] for document in documents] == ["8-K", "EX-99.1", "EX-99.2"]
    assert documents[1].answer.content == b"<p>EX-99.1 of 0001-26-000001</p>"
    assert (item.detail["items"], item.detail["form"], item.detail["cik"]) == (["2.02", "9.01"], "8-K", 1)
    assert item.detail["listed_acceptance"] == "2026-03-10T12:05:00+00:00"
    assert item.payload.startswith(b"<SEC-HEADER>")
    assert item.parts[0].kind == "filing_index"
    assert reports.told == {}


@pytest.mark.parametrize(
    ("stamp", "header", "instant"),
    [
        ("2026-03-10T16:05:00.000Z", "20260310160500", "2026-03-10T20:05"),  # New York's clock with a Z, summer: 4 h
        ("2026-03-10T20:05:00.000Z", "20260310160500", "2026-03-10T20:05"),  # UTC
        ("2026-03-09T21:30:00.000Z", "20260309213000", "2026-03-10T01:30"),  # listed on the day before
    ],
)
def test_the_header_s_clock_is_new_york_s_and_the_truth(edgar: Edgar, stamp: str, header: str, instant: str) -> None:
    edgar.file(1, "0001-26-000001", stamp=stamp, header=accepted(header))
    asked, reports = ask()
    (item,) = edgar.fetch(asked)
    assert item.published_at == datetime.fromisoformat(instant).replace(tzinfo=UTC)
    assert reports.told == {}


def test_in_winter_new_york_is_five_hours_behind(edgar: Edgar) -> None:
    edgar.file(1, "0001-26-000001", stamp="2026-01-05T16:30:00.000Z", header=accepted("20260105163000"))
    asked, reports = ask(day=date(2026, 1, 5), as_of=datetime(2026, 1, 6, tzinfo=UTC))
    (item,) = edgar.fetch(asked)
    assert item.published_at == datetime(2026, 1, 5, 21, 30, tzinfo=UTC)
    assert reports.told == {}


def test_a_filing_of_the_coming_night_is_no_look_ahead(edgar: Edgar) -> None:
    edgar.file(1, "0001-26-000001", stamp="2026-03-10T16:05:00.000Z", header=accepted("20260310160500"))
    asked, _ = ask(as_of=datetime(2026, 3, 10, 17, tzinfo=UTC))
    assert edgar.fetch(asked) == []
    late, _ = ask(as_of=datetime(2026, 3, 10, 20, 5, tzinfo=UTC))
    assert len(edgar.fetch(late)) == 1


def test_stamps_that_differ_otherwise_are_reported_and_the_header_is_taken(edgar: Edgar) -> None:
    edgar.file(1, "0001-26-000001", stamp="2026-03-10T14:00:00.000Z", header=accepted("20260310120000"))
    asked, reports = ask()
    (item,) = edgar.fetch(asked)
    assert item.published_at == datetime(2026, 3, 10, 16, tzinfo=UTC)
    assert "neither the same instant nor New York's clock" in reports.told["0001-26-000001"]


def test_of_another_day_s_filings_at_most_the_header_is_fetched(edgar: Edgar) -> None:
    edgar.file(1, "0001-26-000001", stamp="2026-03-09T12:00:00.000Z", header=accepted("20260309080000"))
    edgar.file(1, "0001-26-000002", stamp="2026-03-09T21:00:00.000Z", header=accepted("20260309170000"))
    asked, _ = ask()
    assert edgar.fetch(asked) == []
    assert [url.rsplit("/", 1)[1] for url in edgar.web.urls] == ["CIK0000000001.json", "0001-26-000002.hdr.sgml"]


def test_known_filings_and_other_forms_are_not_fetched(edgar: Edgar) -> None:
    edgar.file(1, "0001-26-000001", stamp="2026-03-10T12:00:00.000Z", header=accepted("20260310080000"))
    edgar.file(1, "0001-26-000002", stamp="2026-03-10T12:00:00.000Z", header=accepted("20260310080000"), form="4")
    asked, _ = ask(known=frozenset({"0001-26-000001"}))
    assert edgar.fetch(asked) == []
    assert len(edgar.web.asked) == 1
    asked, _ = ask(known=frozenset({"0001-26-000001"}), config={"forms": ["4"]})
    assert [item.item_id for item in edgar.fetch(asked)] == ["0001-26-000002"]


@pytest.mark.parametrize(
    ("header", "words"),
    [
        ("<TYPE>8-K", "has no ACCEPTANCE-DATETIME"),
        (accepted("20269910080000"), "an ACCEPTANCE-DATETIME that is no time"),
        (None, "answered 404"),
    ],
)
def test_a_filing_without_a_usable_header_is_refused_and_the_others_go_on(
    edgar: Edgar, header: str | None, words: str
) -> None:
    edgar.file(1, "0001-26-000001", stamp="2026-03-10T11:00:00.000Z", header=header)
    edgar.file(1, "0001-26-000002", stamp="2026-03-10T12:00:00.000Z", header=accepted("20260310080000"))
    asked, reports = ask()
    assert [item.item_id for item in edgar.fetch(asked)] == ["0001-26-000002"]
    assert words in reports.told["0001-26-000001"]
    assert "filing 0001-26-000001 of AAA could not be read" in reports.told["0001-26-000001"]


def test_an_index_without_documents_is_reported(edgar: Edgar) -> None:
    edgar.file(1, "0001-26-000001", stamp="2026-03-10T12:00:00.000Z", header=accepted("20260310080000"))
    index = next(url for url in edgar.web.pages if url.endswith("-index.html"))
    edgar.web.pages[index] = httpx.Response(200, text="<p>maintenance</p>")
    asked, reports = ask()
    assert edgar.fetch(asked) == []
    assert "lists neither a 8-K nor an EX-99 document" in reports.told["0001-26-000001"]


def test_a_company_that_edgar_does_not_know_harms_no_other(edgar: Edgar) -> None:
    edgar.file(2, "0002-26-000001", stamp="2026-03-10T12:00:00.000Z", header=accepted("20260310080000"))
    asked, reports = ask(over=universe(AAA=1, BBB=2, CCC=None))
    assert [item.ticker for item in edgar.fetch(asked)] == ["BBB"]
    assert "the filings of AAA could not be listed" in reports.told["CIK0000000001"]


def test_a_company_whose_list_does_not_come_now_harms_no_other_and_is_asked_again(edgar: Edgar) -> None:
    edgar.file(2, "0002-26-000001", stamp="2026-03-10T12:00:00.000Z", header=accepted("20260310080000"))
    edgar.web.pages[f"{DATA}/submissions/CIK0000000001.json"] = httpx.Response(503)
    asked, reports = ask(over=universe(AAA=1, BBB=2))
    assert [item.ticker for item in edgar.fetch(asked)] == ["BBB"]
    assert "the filings of AAA could not be listed" in reports.told["CIK0000000001"]
    assert "answered 503" in reports.told["CIK0000000001"]


def test_lists_that_do_not_come_one_after_the_other_mean_that_edgar_is_down(edgar: Edgar) -> None:
    edgar.file(9, "0009-26-000001", stamp="2026-03-10T12:00:00.000Z", header=accepted("20260310080000"))
    for cik in range(1, 9):
        edgar.web.pages[f"{DATA}/submissions/CIK{cik:010d}.json"] = httpx.Response(503)
    asked, _ = ask(over=universe(**{f"C{cik}": cik for cik in range(1, 10)}))
    with pytest.raises(TransientError, match="answered 503"):
        edgar.fetch(asked)
    assert sum("submissions" in url for url in edgar.web.urls) == 3, "the others are not even asked"


def test_a_source_that_refuses_everybody_has_failed(edgar: Edgar) -> None:
    asked, _ = ask(over=universe(AAA=1, BBB=2))
    with pytest.raises(PermanentError, match="answered 404"):
        edgar.fetch(asked)


@pytest.mark.parametrize(
    "page",
    [
        httpx.ConnectError("down"),
        httpx.Response(503),
        httpx.Response(200, text="<html>"),
        httpx.Response(200, json={"filings": 3}),
        httpx.Response(200, json=[]),
        httpx.Response(200, json={"filings": {"recent": {**arrays([]), "form": ["8-K"]}}}),
    ],
)
def test_a_source_that_is_down_raises_and_is_never_empty(edgar: Edgar, page: httpx.Response | Exception) -> None:
    edgar.web.pages[f"{DATA}/submissions/CIK0000000001.json"] = page
    asked, _ = ask()
    with pytest.raises(TransientError):
        edgar.fetch(asked)


def test_older_filings_stand_on_pages_of_their_own(edgar: Edgar) -> None:
    edgar.file(1, "0001-26-000001", stamp="2026-03-10T12:00:00.000Z", header=accepted("20260310080000"))
    pages = [
        {"name": "old.json", "filingFrom": "2010-01-01", "filingTo": "2026-03-08"},
        {"name": "older.json", "filingFrom": "1999-01-01", "filingTo": "2009-12-31"},
    ]
    listing = {"filings": {"recent": arrays([]), "files": pages}}
    edgar.web.pages[f"{DATA}/submissions/CIK0000000001.json"] = httpx.Response(200, json=listing)
    edgar.web.pages[f"{DATA}/submissions/old.json"] = httpx.Response(200, json=arrays(edgar.listed[1]))
    asked, _ = ask()
    assert [item.item_id for item in edgar.fetch(asked)] == ["0001-26-000001"]
    assert not any("older" in url for url in edgar.web.urls)


@given(st.datetimes(datetime(2000, 1, 1), datetime(2035, 1, 1)).map(lambda t: t.replace(microsecond=0)))  # noqa: DTZ001
def test_any_header_s_instant_is_new_york_s_clock(local: datetime) -> None:
    found = accepted_at(f"<X>\n<ACCEPTANCE-DATETIME>{local:%Y%m%d%H%M%S}\n".encode(), "h")
    assert found.utcoffset() == timedelta(0)
    assert found == local.replace(tzinfo=ZoneInfo("America/New_York")).astimezone(UTC)
    assert found - local.replace(tzinfo=UTC) in {timedelta(hours=4), timedelta(hours=5)}


# What EDGAR really answered.


@pytest.fixture
def recorded(shared_data: Path) -> Path:
    folder = shared_data / "edgar_http"
    if not folder.is_dir():
        pytest.skip("the recorded answers of EDGAR (../shared/data/edgar_http) are not here")
    return folder


@pytest.mark.parametrize(
    ("name", "primary"),
    [
        ("www.sec.gov_Archives_edgar_data_1045810_0001045810-26-000024-index.html", "nvda-20260302.htm"),
        ("www.sec.gov_Archives_edgar_data_1326801_0001628280-25-058337-index.html", "meta-20251219.htm"),
        ("www.sec.gov_Archives_edgar_data_72333_0000072333-23-000015-index.html", "jwn-20230301.htm"),
        ("www.sec.gov_Archives_edgar_data_796343_0000796343-23-000044-index.html", "adbe-20230315.htm"),
    ],
)
def test_recorded_index_pages_list_their_documents(recorded: Path, name: str, primary: str) -> None:
    listed = documents_of(Answer(name, 200, {}, (recorded / name).read_bytes(), NOON))
    assert listed[0]["filename"] == primary
    assert listed[0]["type"].startswith(("8-K", "10-"))
    assert all("/" not in entry["filename"] and entry["type"] for entry in listed)


@pytest.mark.parametrize(
    "name",
    [
        "www.sec.gov_Archives_edgar_data_1326801_000162828025058337_0001628280-25-058337.txt",
        "www.sec.gov_Archives_edgar_data_72333_000007233323000015_0000072333-23-000015.txt",
        "www.sec.gov_Archives_edgar_data_796343_000079634323000044_0000796343-23-000044.txt",
    ],
)
def test_recorded_headers_say_when(recorded: Path, name: str) -> None:
    text = (recorded / name).read_bytes()
    found = accepted_at(text, name)
    filed = text.partition(b"FILED AS OF DATE:")[2].split()[0].decode()
    assert (
        timedelta(days=-1) <= date(int(filed[:4]), int(filed[4:6]), int(filed[6:])) - found.date() <= timedelta(days=4)
    )


def test_recorded_submissions_are_read_with_their_older_page(recorded: Path) -> None:
    web = WrittenWeb()
    for cik in ("0000320193", "0001318605"):
        web.pages[f"{DATA}/submissions/CIK{cik}.json"] = httpx.Response(
            200, content=(recorded / f"data.sec.gov_submissions_CIK{cik}.json").read_bytes()
        )
    older = recorded / "data.sec.gov_submissions_CIK0001318605-submissions-001.json"
    web.pages[f"{DATA}/submissions/CIK0001318605-submissions-001.json"] = httpx.Response(
        200, content=older.read_bytes()
    )
    submissions = Submissions(web.fetcher(), DATA)
    apple, _ = submissions.of(320193, date(2025, 10, 30), Validators())
    assert len(apple) == 1005
    assert len(web.asked) == 1
    assert len(submissions.of(1318605, date(2018, 2, 12), Validators())[0]) == 1000 + 720
    assert web.urls[-1].endswith("submissions-001.json")
