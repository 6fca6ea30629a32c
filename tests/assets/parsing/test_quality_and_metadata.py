"""Quality classes and what pages say about themselves."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stonks_assets.parsing.metadata import detect_language, page_metadata, parse_instant
from stonks_assets.parsing.quality import assess, boilerplate

SENTENCE = "Orion Systems said that demand for its storage products was strong in the third quarter of the year. "
STUB = "Orion Systems beats estimates\n\nSubscribe now to continue reading. Already a subscriber? Sign in.\nWe use cookies."


def confidence(text: str, mentions: int = 2, language: str = "en") -> str:
    return assess(text, has_title=True, has_date=True, has_source=True, language=language, mentions=mentions).confidence


def test_an_article_is_high_and_stubs_are_low() -> None:
    assert confidence(SENTENCE * 10) == "high"
    assert confidence(SENTENCE * 3) in {"medium", "high"}
    assert confidence(STUB) == "low"
    assert confidence("We use cookies. Accept all cookies. Privacy policy. Terms of use.\n" * 20) == "low"
    assert confidence("") == "low"


def test_boilerplate_is_counted_by_line() -> None:
    kept, ratio = boilerplate("Profit rose by ten percent\nSign in to continue reading")
    assert (kept, ratio) == (5, 0.5)


@given(
    st.text(max_size=400),
    st.booleans(),
    st.booleans(),
    st.booleans(),
    st.integers(0, 50),
    st.integers(0, 10_000),
)
def test_scores_stay_in_range_and_more_facts_never_hurt(
    text: str, title: bool, date: bool, source: bool, mentions: int, visible: int
) -> None:
    score = assess(
        text,
        has_title=title,
        has_date=date,
        has_source=source,
        language="en",
        mentions=mentions,
        visible_characters=visible,
    ).score
    better = assess(text, has_title=True, has_date=True, has_source=True, language="en", mentions=mentions + 1).score
    assert 0 <= score <= better <= 1


@pytest.mark.parametrize(
    ("text", "language"),
    [
        (SENTENCE, "en"),
        ("Das Unternehmen hat im dritten Quartal mehr verdient als von den Analysten erwartet wurde.", "de"),
        ("La soci\u00e9t\u00e9 a publi\u00e9 des r\u00e9sultats qui sont en hausse pour les neuf mois.", "fr"),
        ("12,345 | 67.8 | 90", "und"),
        ("", "und"),
    ],
)
def test_languages(text: str, language: str) -> None:
    assert detect_language(text) == language


@pytest.mark.parametrize(
    ("stamp", "expected"),
    [
        ("2024-06-24T18:33:53Z", datetime(2024, 6, 24, 18, 33, 53, tzinfo=UTC)),
        ("2024-06-24T18:33:53-04:00", datetime(2024, 6, 24, 22, 33, 53, tzinfo=UTC)),
        ("Mon, 24 Jun 2024 18:33:53 GMT", datetime(2024, 6, 24, 18, 33, 53, tzinfo=UTC)),
        ("2024-06-24", datetime(2024, 6, 24, tzinfo=UTC)),
        ("0001-01-01T00:00:00+14:00", None),
        ("yesterday", None),
        ("", None),
    ],
)
def test_instants(stamp: str, expected: datetime | None) -> None:
    assert parse_instant(stamp) == expected


@given(st.text(max_size=40))
def test_any_stamp_is_an_aware_instant_or_nothing(stamp: str) -> None:
    instant = parse_instant(stamp)
    assert instant is None or instant.utcoffset() is not None


PAGE = """<html><head><title>Fallback | Wire</title><meta property="og:title" content="Orion &amp; Petra merge">
<meta property="og:site_name" content="Example Wire"><meta name="author" content="Ann Author">
<link rel="canonical" href="/story?utm_source=x"><meta property="article:published_time" content="2026-03-02T10:00:00Z">
</head><body><h1>Heading</h1></body></html>"""


def test_page_metadata() -> None:
    found = page_metadata(PAGE, "https://example.com/amp/story")
    assert (found.title, found.author, found.publisher) == ("Orion & Petra merge", "Ann Author", "Example Wire")
    assert found.canonical_url == "https://example.com/story"
    assert found.published_at == datetime(2026, 3, 2, 10, tzinfo=UTC)


def test_json_ld_speaks_first_and_broken_json_is_passed_over() -> None:
    html = (
        '<html><head><script type="application/ld+json">{broken</script><script type="application/ld+json">'
        '{"@graph": [{"@type": "NewsArticle", "headline": "From JSON", "author": [{"name": "A"}, {"name": "B"}],'
        '"publisher": {"name": "P"}, "datePublished": "2026-03-02T10:00:00Z"}]}</script></head><body><h1>x</h1></body></html>'
    )
    found = page_metadata(html, "https://example.com/")
    assert (found.title, found.author, found.publisher) == ("From JSON", "A, B", "P")


def test_a_page_cannot_take_another_sites_name() -> None:
    html = '<html><head><link rel="canonical" href="https://wire.example/real-story"></head><body>x</body></html>'
    assert page_metadata(html, "https://evil.example/copy").canonical_url == "https://evil.example/copy"


@pytest.mark.parametrize(
    ("stated", "title"),
    [
        ("Orion beats estimates | Example Wire", "Orion beats estimates"),
        ("Example Wire | Orion beats estimates", "Orion beats estimates"),
        ("Example Wire - a company of Orion", "Example Wire - a company of Orion"),
        ("Orion &amp;#8216;beats&amp;#8217; estimates", "Orion \u2018beats\u2019 estimates"),
    ],
)
def test_a_title_is_read_without_the_site_and_without_a_second_escape(stated: str, title: str) -> None:
    head = f'<meta property="og:title" content="{stated}"><meta property="og:site_name" content="Example Wire">'
    assert page_metadata(f"<html><head>{head}</head><body>x</body></html>").title == title


@pytest.mark.parametrize(
    ("stated", "author"),
    [
        ("Ann Author, Bo Byline, and Cy Copy, Example Wire", "Ann Author, Bo Byline, Cy Copy"),
        ("Ann Author, https://example.com/ann", "Ann Author"),
        ("View all posts by Ann Author", "Ann Author"),
        ("Example Wire", "Example Wire"),
    ],
)
def test_authors_are_persons_where_persons_are_named(stated: str, author: str) -> None:
    head = f'<meta name="author" content="{stated}"><meta property="og:site_name" content="Example Wire">'
    assert page_metadata(f"<html><head>{head}</head><body>x</body></html>").author == author


def test_the_day_in_an_address_dates_a_page_that_states_none() -> None:
    bare = "<html><head><title>Orion grows</title></head><body>x</body></html>"
    found = page_metadata(bare, "https://example.com/2026/03/02/orion-grows")
    assert (found.published_at, found.zone_stated) == (datetime(2026, 3, 2, tzinfo=UTC), False)
    assert page_metadata(bare, "https://example.com/2026/13/02/orion-grows").published_at is None
    assert page_metadata(bare, found.canonical_url, datetime(2026, 3, 1, tzinfo=UTC)).published_at is None
    assert page_metadata(PAGE, "https://example.com/2020/01/01/story").published_at == datetime(
        2026, 3, 2, 10, tzinfo=UTC
    )
