"""Files of every kind by the road of raw rows; any bytes are read or refused with a sentence."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stonks_assets.parsing.files import raw_rows
from stonks_assets.parsing.mentions import CompanyMatcher, CompanyNames
from stonks_assets.parsing.parse import ParsedDocument, parse_raw
from stonks_assets.parsing.payloads import UnreadablePayloadError

AT = datetime(2026, 3, 2, 12, tzinfo=UTC)
MATCHER = CompanyMatcher([CompanyNames("ORIN", "Orion Systems Inc."), CompanyNames("AAPL", "Apple Inc.")])
SUBMISSION = """<SEC-DOCUMENT>0000000001-26-000001.txt : 20260302
<SEC-HEADER>0000000001-26-000001.hdr.sgml : 20260302
<ACCEPTANCE-DATETIME>20260302063000
ACCESSION NUMBER:\t\t0000000001-26-000001
CONFORMED SUBMISSION TYPE:\t8-K
ITEM INFORMATION:\t\tResults of Operations and Financial Condition
\tCOMPANY CONFORMED NAME:\t\t\tOrion Systems Inc.
</SEC-HEADER>
<DOCUMENT>
<TYPE>8-K
<FILENAME>a.htm
<TEXT>
<XBRL><html><body><div style="display:none"><ix:header>0000000001</ix:header></div>
<p>Item 2.02 Orion Systems Inc.</p></body></html></XBRL>
</TEXT>
</DOCUMENT>
<DOCUMENT>
<TYPE>EX-99.1
<FILENAME>b.htm
<TEXT>
<html><body><table><tr><td>Revenue</td><td>$</td><td>1,234</td></tr></table></body></html>
</TEXT>
</DOCUMENT>
<DOCUMENT>
<TYPE>EX-10.1
<FILENAME>c.htm
<TEXT>
<html><body><p>A long contract.</p></body></html>
</TEXT>
</DOCUMENT>
"""
RSS = b"""<?xml version="1.0"?><rss version="2.0"><channel><title>Wire</title>
<item><title>Orion beats</title><link>https://wire.example/a?utm_source=x</link><author>Ann</author>
<description>&lt;p&gt;Orion Systems &amp;amp; Apple rose.&lt;/p&gt;</description>
<pubDate>Mon, 02 Mar 2026 10:00:00 GMT</pubDate></item>
<item><title>Second</title><link>https://wire.example/b</link><description>More words.</description></item></channel></rss>"""


def read(content: bytes) -> ParsedDocument:
    (row,) = raw_rows("x", content, AT)
    return parse_raw(row, MATCHER)


def test_a_submission_is_one_filing_with_its_exhibits() -> None:
    document = read(SUBMISSION.encode())
    assert document.row["document_type"] == "filing"
    assert document.row["text"] == "Item 2.02 Orion Systems Inc.\n\nRevenue | $1,234"
    assert document.row["published_at"] == datetime(2026, 3, 2, 11, 30, tzinfo=UTC)
    assert document.tickers == {"ORIN"}


def test_a_single_filed_document_is_read_whole() -> None:
    inner = "<html><head><title>Document</title></head><body><p>Short words.</p></body></html>"
    html = f"<DOCUMENT>\n<TYPE>EX-99.1\n<TEXT>\n{inner}\n</TEXT>\n</DOCUMENT>"
    row = read(html.encode()).row
    assert (row["document_type"], row["title"], row["text"]) == ("filing", "", "Short words.")


def test_each_entry_of_a_feed_is_a_document() -> None:
    rows = raw_rows("x", RSS, AT)
    first, second = (parse_raw(row, MATCHER).row for row in rows)
    assert first["text"] == "Orion beats\n\nOrion Systems & Apple rose."
    assert (first["canonical_url"], first["author"]) == ("https://wire.example/a", "Ann")
    assert first["published_at"] == datetime(2026, 3, 2, 10, tzinfo=UTC)
    assert second["text"] == "Second\n\nMore words."


def test_a_single_item_and_an_atom_entry() -> None:
    item = RSS[RSS.index(b"<item>") : RSS.index(b"</item>") + len(b"</item>")]
    assert read(item).row["title"] == "Orion beats"
    atom = (
        b'<feed xmlns="http://www.w3.org/2005/Atom"><entry><title>A</title><link href="https://a.example/1"/>'
        b"<author><name>Bo</name></author><updated>2026-03-01T00:00:00Z</updated><summary>Words of it.</summary></entry></feed>"
    )
    row = read(atom).row
    assert (row["author"], row["canonical_url"], row["text"]) == ("Bo", "https://a.example/1", "A\n\nWords of it.")


def test_a_vendors_article_and_plain_text() -> None:
    assert (
        read(b'{"headline": "Orion rises", "content": "<p>Orion Systems said so.</p>"}').row["title"] == "Orion rises"
    )
    assert read(b"Apple Inc. said 5 < 6.").row["text"] == "Apple Inc. said 5 < 6."


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"  \n", "is empty"),
        (b"%PDF-1.7 ...", "binary"),
        (bytes(range(256)) * 8, "binary"),
        (SUBMISSION[: SUBMISSION.index("<DOCUMENT>")].encode(), "without a document"),
        (b"<rss><channel><item>", "broken"),
        (b"<rss><channel></channel></rss>", "without an entry"),
        (b'<!DOCTYPE r [<!ENTITY a "b">]><rss>&a;</rss>', "entities"),
    ],
)
def test_what_cannot_be_read_is_refused_with_a_sentence(content: bytes, said: str) -> None:
    with pytest.raises(UnreadablePayloadError) as refused:
        raw_rows("the-file", content, AT)
    assert said in str(refused.value)
    assert "the-file" in str(refused.value)


pieces = st.one_of(
    st.binary(max_size=60),
    st.sampled_from(
        [b"<p>", b"<rss>", b"<item>", b"<SEC-HEADER>", b"<DOCUMENT>", b"<TEXT>", b"{", b"<html>", b"Orion Systems Inc.",
         b"\xff\xfe",
         b'<script type="application/ld+json">{"@type":"Article","author":[{"name":1}],"datePublished":[]}</script>', b"$AAPL ",
         b'<meta property="og:title" content="x">', b"<table><tr><td>", b"\x00", b"<ACCEPTANCE-DATETIME>2", b"\xe2\x80\xae"]
    ),
)  # fmt: skip


@given(st.lists(pieces, max_size=12).map(b"".join))
@settings(max_examples=250, deadline=None)
def test_any_bytes_are_read_or_refused_and_offsets_hold(content: bytes) -> None:
    try:
        documents = [parse_raw(row, MATCHER) for row in raw_rows("x", content, AT)]
    except UnreadablePayloadError:
        return
    for document in documents:
        text = document.row["text"]
        text.encode()
        assert text
        assert document.row["published_at"] <= AT
        assert all(text[m.start : m.end] == m.surface for m in document.mentions)


amounts = st.integers(0, 10**9).map(lambda n: f"{n:,}")


@given(st.lists(st.lists(amounts, min_size=1, max_size=4), min_size=1, max_size=6))
@settings(max_examples=80, deadline=None)
def test_numbers_of_filed_tables_survive_next_to_their_labels(rows: list[list[str]]) -> None:
    cells = [f"<tr><td>Line</td>{''.join(f'<td>$</td><td>({n}</td><td>)</td>' for n in row)}</tr>" for row in rows]
    html = f"<html><body><p>Exhibit 99.1</p><table>{''.join(cells)}</table></body></html>"
    text = read(html.encode()).row["text"]
    expected = [" | ".join(["Line", *(f"$({n})" for n in row)]) for row in rows]
    assert text.split("\n")[-len(rows) :] == expected


def test_recorded_submissions_are_read(shared_data: Path) -> None:
    for path in sorted((shared_data / "edgar_http").glob("*0001628280-25-058337.txt")):
        row = read(path.read_bytes()).row
        assert row["author"] == "Meta Platforms, Inc."
        assert "SECURITIES AND EXCHANGE COMMISSION" in row["text"]
