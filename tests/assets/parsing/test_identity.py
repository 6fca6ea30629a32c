"""Addresses and ids: the same document has the same name whoever fetched it."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stonks_assets.parsing.identity import canonical_url, document_id, filing_identity, same_site
from stonks_core.identifiers import day_of_document


@pytest.mark.parametrize(
    ("given_url", "expected"),
    [
        ("HTTPS://News.Example.COM/Story", "https://news.example.com/Story"),
        ("https://example.com:443/a#top", "https://example.com/a"),
        ("http://example.com:8080/a", "http://example.com:8080/a"),
        ("https://example.com/a?utm_source=x&id=7&fbclid=abc", "https://example.com/a?id=7"),
        ("https://example.com/a?b=2&a=1", "https://example.com/a?a=1&b=2"),
        ("https://user:secret@example.com/a", "https://example.com/a"),
        ("https://example.com", "https://example.com/"),
        ("https://example.com/caf\u00e9 x", "https://example.com/caf%C3%A9x"),
        (" https://[2001:db8::1]/a ", "https://[2001:db8::1]/a"),
        ("urn:isbn:1", "urn:isbn:1"),
        ("http://[broken", "http://[broken"),
        ("", ""),
    ],
)
def test_canonical_urls(given_url: str, expected: str) -> None:
    assert canonical_url(given_url) == expected


@given(st.text(max_size=60), st.sampled_from(["", "http://", "https://", "HTTPS://Example.com/"]))
def test_canonicalising_twice_changes_nothing(rest: str, start: str) -> None:
    once = canonical_url(start + rest)
    assert canonical_url(once) == once


def test_one_article_by_two_vendors_has_one_id() -> None:
    day = date(2026, 3, 2)
    one = canonical_url("https://Example.com/story?utm_source=polygon")
    other = canonical_url("https://example.com/story#comments")
    assert document_id(day, one) == document_id(day, other)


@given(st.dates(), st.text(max_size=80))
def test_an_id_is_stable_and_begins_with_its_day(day: date, identity: str) -> None:
    name = document_id(day, identity.encode(errors="ignore").decode())
    assert name == document_id(day, identity.encode(errors="ignore").decode())
    assert day_of_document(name) == day
    assert len(name) == 29


def test_filings_are_named_by_accession() -> None:
    assert filing_identity("0000320193-24-000005") == "accession:0000320193-24-000005"
    with pytest.raises(ValueError, match="is not an EDGAR accession number"):
        filing_identity("000032019324000005")


def test_only_the_own_site_may_name_a_page() -> None:
    assert same_site("https://www.example.com/a", "http://m.example.com/b")
    assert not same_site("https://evil.example/a", "https://example.com/a")
    assert not same_site("", "")
