"""EDGAR headers: New York clock time becomes UTC, and the parts of a submission are told apart."""

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from stonks_assets.parsing.filings import acceptance_instant, parse_header, plausible_acceptance, split_submission

HEADER = """<SEC-HEADER>0000320193-24-000005.hdr.sgml : 20240201
<ACCEPTANCE-DATETIME>20240201163030
ACCESSION NUMBER:\t\t0000320193-24-000005
CONFORMED SUBMISSION TYPE:\t8-K
CONFORMED PERIOD OF REPORT:\t20240201
ITEM INFORMATION:\t\tResults of Operations and Financial Condition
ITEM INFORMATION:\t\tFinancial Statements and Exhibits
FILED AS OF DATE:\t\t20240201
FILER:
\tCOMPANY DATA:
\t\tCOMPANY CONFORMED NAME:\t\t\tApple Inc.
\t\tCENTRAL INDEX KEY:\t\t\t0000320193
\t\tSTANDARD INDUSTRIAL CLASSIFICATION:\tELECTRONIC COMPUTERS [3571]
</SEC-HEADER>"""


@pytest.mark.parametrize(
    ("stamp", "expected"),
    [
        ("20240201163030", datetime(2024, 2, 1, 21, 30, 30, tzinfo=UTC)),
        ("20240701163030", datetime(2024, 7, 1, 20, 30, 30, tzinfo=UTC)),
        ("20240230000000", None),
        ("", None),
    ],
)
def test_acceptance_is_new_york_time(stamp: str, expected: datetime | None) -> None:
    assert acceptance_instant(stamp) == expected


def test_a_header_is_read() -> None:
    header = parse_header(HEADER)
    assert header.accession == "0000320193-24-000005"
    assert header.form == "8-K"
    assert header.accepted_at == datetime(2024, 2, 1, 21, 30, 30, tzinfo=UTC)
    assert (header.filed, header.period) == (date(2024, 2, 1), date(2024, 2, 1))
    assert header.items == ("Results of Operations and Financial Condition", "Financial Statements and Exhibits")
    assert (header.company, header.cik, header.sic_code) == ("Apple Inc.", 320193, "3571")
    assert header.sic_description == "ELECTRONIC COMPUTERS"


def test_a_text_without_header_gives_empty_fields() -> None:
    assert parse_header("nothing here").accepted_at is None


def test_a_submission_is_split() -> None:
    text = (
        "<DOCUMENT>\n<TYPE>8-K\n<FILENAME>a.htm\n<DESCRIPTION>MAIN\n<TEXT>\n<XBRL>\n<p>x</p>\n</XBRL>\n</TEXT>\n</DOCUMENT>"
        "<DOCUMENT>\n<TYPE>EX-99.1\n<FILENAME>b.htm\n<TEXT>\n<p>y</p>\n</TEXT>\n</DOCUMENT>"
    )
    first, second = split_submission(text)
    assert (first.type, first.filename, first.description, first.html) == ("8-K", "a.htm", "MAIN", "<p>x</p>")
    assert (second.type, second.html) == ("EX-99.1", "<p>y</p>")


def test_real_headers_agree_with_the_recorded_index(shared_data: Path) -> None:
    for line in (shared_data / "replay" / "filings.jsonl").read_text().splitlines():
        filing = json.loads(line)
        folder = shared_data / "replay" / "edgar" / filing["dir"]
        header = parse_header(next(folder.glob("*.sgml")).read_text())
        eastern = datetime.fromisoformat(filing["accepted_et"])
        assert header.accepted_at is not None
        assert header.accepted_at.replace(tzinfo=None) - eastern in (timedelta(hours=4), timedelta(hours=5))
        assert header.accession == filing["accession"]
        assert list(header.items) == [item.removeprefix("<ITEMS>") for item in filing["items"]]


@pytest.mark.parametrize(("ticker", "cik", "shifted"), [("AAPL", "0000320193", True), ("TSLA", "0001318605", False)])
def test_submissions_of_some_filers_are_new_york_time_marked_as_utc(
    shared_data: Path, ticker: str, cik: str, shifted: bool
) -> None:
    index = json.loads((shared_data / "edgar_http" / f"data.sec.gov_submissions_CIK{cik}.json").read_text())
    recent = index["filings"]["recent"]
    pages = list((shared_data / "edgar_http").glob(f"data.sec.gov_submissions_CIK{cik}-*.json"))
    stamped = dict(zip(recent["accessionNumber"], recent["acceptanceDateTime"], strict=True))
    for page in pages:
        older = json.loads(page.read_text())
        stamped |= dict(zip(older["accessionNumber"], older["acceptanceDateTime"], strict=True))
    compared = 0
    for folder in (shared_data / "replay" / "edgar" / ticker).iterdir():
        header = parse_header(next(folder.glob("*.sgml")).read_text())
        if header.accession in stamped and header.accepted_at is not None:
            listed = datetime.fromisoformat(stamped[header.accession])
            assert plausible_acceptance(header.accepted_at, listed)
            assert (header.accepted_at - listed >= timedelta(hours=4)) == shifted
            compared += 1
    if not compared:
        pytest.skip(f"the recorded submissions of {ticker} hold none of the recorded filings")


def test_other_differences_are_implausible() -> None:
    header = datetime(2024, 2, 1, 21, 30, tzinfo=UTC)
    assert not plausible_acceptance(header, header - timedelta(hours=2))
    assert not plausible_acceptance(header, header + timedelta(hours=5))
