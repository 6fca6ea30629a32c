"""Raw rows of each kind to documents."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stonks_assets.parsing.mentions import CompanyMatcher, CompanyNames
from stonks_assets.parsing.parse import mention_rows, parse_raw
from stonks_assets.parsing.payloads import UnreadablePayloadError, listed_identity
from stonks_core.identifiers import sha256_text

FETCHED = datetime(2026, 3, 2, 12, tzinfo=UTC)
PUBLISHED = datetime(2026, 3, 2, 10, tzinfo=UTC)
MATCHER = CompanyMatcher([CompanyNames("ORIN", "Orion Systems Inc."), CompanyNames("AAPL", "Apple Inc.")])
PROSE = "Orion Systems said that demand for its storage products was strong in the third quarter of the year. "
PAGE = (
    "<html><head><title>T</title></head><body><nav>Home</nav>"
    f"<article><p>{PROSE * 3}</p><p>{PROSE * 3}</p></article></body></html>"
)


def raw(kind: str, payload: object, **changes: Any) -> dict[str, Any]:
    encoded = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    return {
        "day": "2026-03-02",
        "item_id": "item-1",
        "sha256": "ab" * 32,
        "source_id": "source",
        "source_type": "news_api",
        "source_name": "Polygon News",
        "ticker": None,
        "kind": kind,
        "url": "https://example.com/story",
        "media_type": "application/json",
        "payload": encoded,
        "credibility": 0.6,
        "published_at": PUBLISHED,
        "fetched_at": FETCHED,
        "available_at": FETCHED,
    } | changes


def page_part(html: str, url: str = "https://example.com/story") -> dict[str, Any]:
    return {
        "kind": "article_page", "part": "page", "payload": html.encode(), "url": url, "media_type": "text/html",
        "response_headers": '{"content-type": "text/html; charset=utf-8"}', "detail": "{}",
    }  # fmt: skip


def article(html: str | None = PAGE, *, url: str = "https://example.com/story", **changes: Any) -> dict[str, Any]:
    return raw("article", listing(**changes), parts=[page_part(html, url)] if html else [])


def feed_item(entry: object, html: str | None = None, **changes: Any) -> dict[str, Any]:
    parts = [page_part(html)] if html else []
    return raw("feed_item", b"<item/>", detail=json.dumps({"entry": entry}), parts=parts, **changes)


def listing(**changes: Any) -> dict[str, Any]:
    return {
        "id": "1",
        "title": "Orion Systems beats estimates",
        "author": "Ann",
        "published_utc": "2026-03-02T10:00:00Z",
        "article_url": "https://example.com/story?utm_source=x",
        "publisher": {"name": "Example Wire"},
        "description": "Orion Systems beat estimates and raised its outlook for the full year on strong demand.",
    } | changes


def test_an_article_with_its_page() -> None:
    document = parse_raw(article(), MATCHER)
    row = document.row
    assert row["document_type"] == "news"
    assert (row["title"], row["author"], row["publisher"]) == ("Orion Systems beats estimates", "Ann", "Example Wire")
    assert row["canonical_url"] == "https://example.com/story"
    assert row["text"].startswith("Orion Systems said"), "an article stands without its title"
    assert "Home" not in row["text"]
    assert (row["sha256"], row["characters"]) == (sha256_text(row["text"]), len(row["text"]))
    assert (row["published_at"], row["available_at"]) == (PUBLISHED, FETCHED)
    assert (row["confidence"], row["status"], row["language"]) == ("high", "parsed", "en")
    assert document.tickers == {"ORIN"}
    for mention in mention_rows(document):
        assert row["text"][mention["start"] : mention["end"]] == mention["surface"]


def test_a_short_article_is_enriched_by_its_description() -> None:
    short = "<html><body><article><p>Orion Systems beat estimates.</p></article></body></html>"
    text = parse_raw(article(short), MATCHER).row["text"]
    assert text.endswith(listing()["description"])
    assert "Orion Systems beat estimates.\n" in text


def test_an_article_without_page_is_its_description() -> None:
    document = parse_raw(article(None), MATCHER)
    assert document.row["text"] == f"{listing()['title']}\n\n{listing()['description']}"


def test_two_vendors_give_one_id() -> None:
    alpaca = {
        "id": 7, "headline": "Orion Systems beats", "summary": "", "author": "Bo", "created_at": "2026-03-02T10:00:00Z",
        "source": "benzinga", "symbols": ["ORIN"], "content": f"<p>{PROSE * 8}</p>", "url": "https://example.com/story#a",
    }  # fmt: skip
    one = parse_raw(article(), MATCHER)
    other = parse_raw(feed_item({"title": "Other", "link": "https://EXAMPLE.com/story#x", "summary": PROSE}), MATCHER)
    third = parse_raw(raw("article", alpaca, parts=[]), MATCHER)
    assert one.document_id == other.document_id == third.document_id
    assert (third.row["title"], third.row["author"], third.row["publisher"]) == (
        "Orion Systems beats",
        "Bo",
        "Benzinga",
    )
    assert third.row["published_at"] == PUBLISHED
    assert third.row["text"].count("Orion Systems said") == 8


def test_macro_news_are_macro_events_and_pages_are_web() -> None:
    entry = {
        "title": "Rates",
        "link": "https://example.com/r",
        "summary": f"<p>{PROSE}</p>",
        "published": "Mon, 02 Mar 2026 09:00:00 GMT",
    }
    macro = parse_raw(feed_item(entry, source_type="macro_news"), MATCHER).row
    assert (macro["document_type"], macro["published_at"].hour) == ("macro_event", 9)
    page = parse_raw(raw("page", PAGE.encode(), source_type="web_scrape", media_type="text/html"), MATCHER).row
    assert page["document_type"] == "web"


HEADER = (
    "<ACCEPTANCE-DATETIME>20260302063000\nCOMPANY CONFORMED NAME:\tOrion Systems Inc.\nITEM INFORMATION:\tOther Events"
)
LISTED = {
    "accession": "0000000001-26-000001",
    "cik": 1,
    "ticker": "ORIN",
    "form": "8-K",
    "items": ["2.02"],
    "primary_url": "https://www.sec.gov/Archives/a.htm",
}
DOCUMENTS = [
    ("8-K", "a.htm", f"<p>Item 2.02 {PROSE}</p>"),
    ("EX-10.1", "c.htm", "<p>Credit agreement</p>"),
    ("EX-99.1", "b.htm", "<table><tr><td>Sales</td><td>1,234</td></tr></table>"),
]


def filing(header: str = HEADER, documents: list[tuple[str, str, str]] = DOCUMENTS, **listed: object) -> dict[str, Any]:
    parts = [
        {
            "kind": "filing_document", "part": name, "payload": html.encode(), "url": f"https://www.sec.gov/{name}",
            "media_type": "text/html", "response_headers": "{}", "detail": json.dumps({"type": kind, "filename": name}),
        }
        for kind, name, html in documents
    ]  # fmt: skip
    known = LISTED | listed
    detail = json.dumps(known)
    return raw(
        "filing", header.encode(), detail=detail, parts=parts, source_type="filings_api", item_id=known["accession"]
    )


def test_a_filing_joins_its_press_release() -> None:
    document = parse_raw(filing(), MATCHER)
    row = document.row
    assert row["document_type"] == "filing"
    assert "Item 2.02" in row["text"]
    assert row["text"].endswith("Sales | 1,234")
    assert "Credit agreement" not in row["text"]
    assert row["published_at"] == datetime(2026, 3, 2, 11, 30, tzinfo=UTC)
    assert row["title"] == "Orion Systems Inc. 8-K: Other Events"
    moved = parse_raw(filing(primary_url="https://mirror.example/a"), MATCHER)
    assert moved.document_id == document.document_id


def test_a_source_cannot_be_known_before_it_spoke_nor_speak_after_the_fetch() -> None:
    late = article(published_utc="2027-01-01T00:00:00Z")
    assert parse_raw(late, MATCHER).row["published_at"] == FETCHED
    early = article() | {"available_at": PUBLISHED - timedelta(hours=1)}
    assert parse_raw(early, MATCHER).row["available_at"] == PUBLISHED


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        (raw("article", b"not json"), "is not JSON"),
        (raw("article", [1]), "JSON but no object"),
        (raw("article", {}), "holds no text"),
        (filing(accession="x"), "names no filing"),
        (raw("bars", {}), "holds no document"),
        (raw("page", b"<html></html>"), "holds no text"),
    ],
)
def test_unreadable_payloads_say_why(row: dict[str, Any], sentence: str) -> None:
    with pytest.raises(UnreadablePayloadError, match=sentence):
        parse_raw(row, MATCHER)


def test_what_a_listing_names_is_what_parsing_names() -> None:
    row = article()
    assert listed_identity(row) == parse_raw(row, MATCHER).row["canonical_url"]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "entry",
                    "headline",
                    "content",
                    "type",
                    "title",
                    "link",
                    "form",
                    "publisher",
                    "header",
                    "accession",
                    "items",
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=15,
)


@given(st.sampled_from(["article", "feed_item", "filing"]), JSON)
@settings(max_examples=150, deadline=None)
def test_payloads_of_any_shape_are_parsed_or_refused(kind: str, payload: object) -> None:
    try:
        detail = json.dumps(payload if isinstance(payload, dict) else {"entry": payload})
        document = parse_raw(raw(kind, payload, detail=detail), MATCHER)
    except UnreadablePayloadError:
        return
    assert document.row["text"]


def test_real_filings_are_at_least_medium_and_name_their_company(shared_data: Path) -> None:
    for line in (shared_data / "replay" / "filings.jsonl").read_text().splitlines()[::9]:
        found = json.loads(line)
        folder = shared_data / "replay" / "edgar" / found["dir"]
        documents = [
            (d["type"], d["filename"], (folder / d["filename"]).read_text(errors="replace")) for d in found["documents"]
        ]
        header = next(folder.glob("*.sgml")).read_text()
        row = filing(header, documents, accession=found["accession"], form=found["form"], items=[])
        matcher = CompanyMatcher([CompanyNames(found["ticker"], found["company"])])
        document = parse_raw(row, matcher)
        assert document.row["confidence"] in {"medium", "high"}, found["accession"]
        assert document.tickers == {found["ticker"]}, found["accession"]
