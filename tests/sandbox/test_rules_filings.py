"""Real 8-K filings and their press releases: sensible catalysts, nothing invented. Skipped where the recordings are absent."""

import json
import re
import time
import warnings
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from bs4 import BeautifulSoup, XMLParsedAsHTMLWarning

from stonks_sandbox.ollama.prompt import Company, Document
from stonks_sandbox.ollama.rules.document import extract_document

REPLAY = Path(__file__).resolve().parents[3] / "shared" / "data" / "replay"
pytestmark = pytest.mark.skipif(not REPLAY.is_dir(), reason="the recorded filings (../shared/data/replay) are absent")

KNOWN = {
    "0001045810-24-000028": ({"earnings_beat"}, 1),  # a chip maker's record quarter
    "0001326801-24-000010": ({"earnings_beat"}, 1),  # results, and a first dividend
    "0000320187-24-000062": ({"earnings_miss"}, -1),  # revenues down ten percent
    "0000012927-24-000079": ({"earnings_miss"}, -1),  # a strike and charges
    "0000731766-24-000045": ({"operational_incident"}, -1),  # item 1.05, a cyber attack
    "0001193125-24-218951": ({"operational_incident"}, -1),  # workers vote for a strike
    "0000909832-24-000008": ({"management_change"}, 0),  # a finance chief retires
    "0000012927-24-000064": ({"management_change"}, -1),  # an officer ceases to serve
    "0000002488-24-000172": ({"management_change"}, -1),  # the accounting chief resigns
    "0000909832-24-000052": ({"capital_return"}, 1),  # a quarterly dividend
    "0001193125-24-041435": ({"capital_raise"}, 0),  # senior notes
    "0001193125-24-073887": ({"capital_raise"}, 0),  # notes of six maturities
    "0001193125-24-247611": ({"capital_raise"}, -1),  # new shares
    "0001140361-24-010155": ({"other"}, 0),  # votes at the annual meeting
    "0000050863-24-000169": ({"contract_win"}, 1),  # state funding for factories
    "0001140361-24-024352": ({"litigation"}, -1),  # a settlement of lawsuits
}


def _text(markup: bytes) -> str:
    """Visible text, one line per paragraph and per table row with ` | ` between its cells."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", XMLParsedAsHTMLWarning)
        soup = BeautifulSoup(markup.decode("utf-8", "replace"), "lxml")
    for tag in soup(["script", "style", "ix:header", "title"]):
        tag.decompose()
    for row in soup("tr"):
        cells = [" ".join(cell.get_text(" ").split()) for cell in row(["td", "th"])]
        row.replace_with("\n" + " | ".join(cell for cell in cells if cell) + "\n")
    for tag in soup(["p", "div", "br", "h1", "h2", "h3", "h4", "li"]):
        tag.append("\n")
    lines = [re.sub(r"[ \xa0\u200b]+", " ", line).strip() for line in soup.get_text().split("\n")]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


@cache
def _filings() -> dict[str, tuple[str, str, str]]:
    """Ticker, company name and text of every recorded filing that is not a giant."""
    found = {}
    for line in (REPLAY / "filings.jsonl").read_text().splitlines():
        row = json.loads(line)
        parts = [d for d in row["documents"] if d["type"].startswith(("8-K", "EX-99"))]
        if row["accession"] in KNOWN or (sum(d["bytes"] for d in parts) < 60_000 and len(found) < 60):
            texts = [_text((REPLAY / "edgar" / row["dir"] / d["filename"]).read_bytes()) for d in parts]
            found[row["accession"]] = (row["ticker"], row["company"], "\n\n".join(texts))
    return found


def _extract(accession: str) -> tuple[dict[str, Any], str]:
    ticker, name, text = _filings()[accession]
    return extract_document(Document(text=text), (Company(ticker, (name, ticker)),)), text


def test_no_quote_is_invented_or_boilerplate() -> None:
    for accession in _filings():
        answer, text = _extract(accession)
        for record in answer["impacts"]:
            assert record["quote"] in text
            assert len(record["quote"]) <= 300
            assert "forward-looking" not in record["quote"].lower()
            assert "duly caused" not in record["quote"]


def test_nearly_every_filing_says_something_of_its_filer() -> None:
    silent = [accession for accession in _filings() if not _extract(accession)[0]["impacts"]]
    assert len(silent) <= len(_filings()) // 20, silent


@pytest.mark.parametrize("accession", KNOWN)
def test_known_filings_have_their_catalyst(accession: str) -> None:
    catalysts, sign = KNOWN[accession]
    record = _extract(accession)[0]["impacts"][0]
    assert record["catalyst"] in catalysts
    assert record["sentiment"] * sign >= 0
    if sign:
        assert abs(record["sentiment"]) >= 0.1


def test_votes_matter_less_than_results() -> None:
    votes = _extract("0001140361-24-010155")[0]["impacts"][0]
    results = _extract("0001045810-24-000028")[0]["impacts"][0]
    assert votes["impact"] < 0.2 < results["impact"]


def test_reading_is_fast() -> None:
    text = (_filings()["0001045810-24-000028"][2] * 5)[:100_000]
    started = time.process_time()
    extract_document(Document(text=text), (Company("NVDA", ("NVIDIA Corporation",)),))
    assert time.process_time() - started < 1.5  # the goal is 0.3 s; a shared machine gets some room
