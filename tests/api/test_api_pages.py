"""The pages: hostile words stay words, nothing comes from elsewhere, empty states say why, and what is simulated is said."""

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from html.parser import HTMLParser
from itertools import pairwise

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stonks_api.pages import rendering
from stonks_api.pages.why import surroundings
from stonks_core.settings import load_settings
from stonks_core.stores.lake.gold_tables import RECOMMENDATIONS
from stonks_core.stores.lake.lake import Lake
from stonks_core.stores.lake.silver_tables import DOCUMENTS
from stonks_core.stores.postgres import Database
from tests.api import story
from tests.api.conftest import app_over, serving

PAGES = (
    "/",
    "/docs",
    f"/orders/{story.ENTRY}/why",
    f"/orders/{story.STOP}/why",
    f"/orders/{story.OPEN}/why",
    f"/documents/{story.NEWS}?start=21&end=90",
)
VOID = {"meta", "link", "img", "br", "input", "hr"}


class Outline(HTMLParser):
    """Every tag with its attributes, the words in it, and whether all tags are closed in order."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.open: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        return re.sub(r"\s+", " ", "".join(self.words))

    def count(self, tag: str) -> int:
        return sum(name == tag for name, _ in self.tags)


def page(client: httpx.Client, address: str) -> Outline:
    answer = client.get(address, headers={"accept": "text/html"})
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    return Outline(answer.text)


@pytest.mark.parametrize("address", PAGES)
def test_a_page_is_whole_and_needs_nothing_from_elsewhere(client: httpx.Client, address: str) -> None:
    outline = page(client, address)
    assert outline.open == []
    for tag, attributes in outline.tags:
        assert not [name for name in attributes if name.startswith("on") or name == "style"], (tag, attributes)
        assert tag not in ("style", "iframe", "object", "base", "form")
        for name in ("src", "href"):
            value = attributes.get(name) or ""
            assert not value.lower().startswith(("javascript:", "data:", "//"))
            if tag in ("script", "link", "img"):
                assert name not in attributes or value.startswith("/static/")
                assert name not in attributes or client.get(value).status_code == 200
    assert [a["src"] for t, a in outline.tags if t == "script"] == (["/static/live.js"] if address == "/" else [])


@pytest.mark.parametrize("address", PAGES)
def test_a_page_can_be_read_by_a_machine_that_reads_aloud(client: httpx.Client, address: str) -> None:
    outline = page(client, address)
    assert ("html", {"lang": "en"}) in outline.tags
    assert outline.count("h1") == outline.count("main") == outline.count("title") == 1
    ids = [attributes["id"] for _, attributes in outline.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    for _, attributes in outline.tags:
        assert (attributes.get("aria-labelledby") or ids[0]) in ids
    headings = [int(tag[1]) for tag, _ in outline.tags if re.fullmatch(r"h[1-6]", tag)]
    assert all(after <= before + 1 for before, after in pairwise(headings))
    assert all("scope" in attributes for tag, attributes in outline.tags if tag == "th")
    assert all("alt" in attributes for tag, attributes in outline.tags if tag == "img")


@pytest.mark.parametrize("address", PAGES)
def test_links_lead_somewhere(client: httpx.Client, address: str) -> None:
    links = {attributes["href"] or "" for tag, attributes in page(client, address).tags if tag == "a"}
    inner = [link for link in links if link.startswith(("/", "?"))]
    assert inner
    for link in inner:
        answer = client.get(link if link.startswith("/") else address.partition("?")[0] + link)
        assert answer.status_code == (200 if not link.endswith("/rec-gone") else 404), link


def test_hostile_words_stay_words(client: httpx.Client) -> None:
    overview = page(client, "/")
    assert "<img src=x onerror=alert(1)>" in overview.text  # shown as it was written
    assert story.QUOTE in overview.text
    assert overview.count("img") == 1  # the sign beside the name
    why = page(client, f"/orders/{story.ENTRY}/why")
    assert story.QUOTE in why.text
    assert "Acme <b>beats</b>" in why.text
    assert why.count("script") == why.count("b") == 0
    assert page(client, f"/documents/{story.NEWS}").count("script") == 0


def test_a_documents_address_is_a_link_only_where_it_is_safe(own_client: httpx.Client, lake: Lake) -> None:
    lake.delete(DOCUMENTS, f"document_id = '{story.NEWS}'")
    hostile = story.document(story.NEWS, story.TEXTS[story.NEWS], canonical_url="javascript:alert(1)")
    lake.merge(DOCUMENTS, [hostile])
    for address in (f"/orders/{story.ENTRY}/why", f"/documents/{story.NEWS}"):
        hrefs = [attributes.get("href") or "" for _, attributes in page(own_client, address).tags]
        assert not [href for href in hrefs if "javascript" in href]


def test_the_overview_shows_what_stands_in_the_stores(client: httpx.Client) -> None:
    outline = page(client, "/")
    for words in ("PAPER", "SANDBOX", "$1,010.50", "▲ $10.50", "BOLT", "$18.50", "not running", "All times UTC"):
        assert words in outline.text
    hrefs = {attributes.get("href") for _, attributes in outline.tags}
    assert {f"/orders/{story.ENTRY}/why", f"/documents/{story.NEWS}", "/docs", "http://127.0.0.1:3000/"} <= hrefs


def test_empty_states_say_why_and_name_the_command(empty_client: httpx.Client) -> None:
    outline = page(empty_client, "/")
    for words in ("No account yet", "Nothing is held", "No recommendation yet", "No order yet", "No decision yet"):
        assert words in outline.text
    assert outline.text.count("stonks up") >= 5


def test_what_is_switched_off_says_how_it_is_switched_on(database: Database, lake: Lake) -> None:
    settings = load_settings({"TRADING_ENABLED": "false"})
    with serving(lambda port: app_over(database, lake, port, settings)) as client:
        database.execute("INSERT INTO pipeline_control (key, value) VALUES ('pipeline_enabled', 'false')")
        text = page(client, "/").text
        assert "TRADING_ENABLED=true" in text
        assert "the pipeline is switched off" in text


def test_real_money_and_real_sources_are_said(database: Database, lake: Lake) -> None:
    real = load_settings(
        {
            "BROKER_API_KEY": "key",
            "BROKER_API_SECRET": "secret-of-the-broker",
            "BROKER_MODE": "live",
            "BROKER_LIVE_CONFIRM": "I accept real losses",
        }
    )
    with serving(lambda port: app_over(database, lake, port, real)) as client:
        text = page(client, "/").text
        assert "LIVE: REAL MONEY" in text
        assert "PAPER" not in text
        assert "REAL: market data, broker" in text
        for address in ("/", "/api/status", "/docs", "/openapi.json"):
            assert "secret-of-the-broker" not in client.get(address).text


def test_the_why_page_shows_each_step_and_what_was_tampered_with(own_client: httpx.Client, lake: Lake) -> None:
    steps = page(own_client, f"/orders/{story.STOP}/why").text
    for words in (
        "at or below its stop",
        "What was left",
        "Buy $50.00 of ACME",
        story.TREND,
        "✓ stands in the document",
    ):
        assert words in steps
    story.tamper(lake)
    changed = page(own_client, f"/orders/{story.STOP}/why").text
    assert "✗ the stored text no longer matches" in changed
    assert f"document {story.NEWS} no longer holds what was quoted" in changed


def test_a_document_page_marks_exactly_the_quoted_words(client: httpx.Client) -> None:
    text = story.TEXTS[story.NEWS]
    start = text.index(story.QUOTE)
    answer = client.get(f"/documents/{story.NEWS}?start={start}&end={start + len(story.QUOTE)}").text
    assert "&lt;script&gt;" in answer
    outline = Outline(answer)
    at = len(outline.words) - 1 - outline.words[::-1].index(story.QUOTE)  # the last: the one in the text
    assert "".join(outline.words[at - 1 : at + 2]) == text
    for odd in ("start=5&end=2", "start=999999&end=9999999", "start=0&end=0"):
        shown = Outline(client.get(f"/documents/{story.NEWS}?{odd}").text)
        assert "Acme Corp. reports." in shown.text or odd.startswith("start=999999")
    assert client.get(f"/documents/{story.NEWS}?start=-1").status_code == 422


def test_a_long_document_is_cut_around_the_quote(own_client: httpx.Client, lake: Lake) -> None:
    name, text = "20260304-long", "x" * 300_000 + "NEEDLE" + "y" * 300_000
    lake.merge(DOCUMENTS, [story.document(name, text)])
    answer = own_client.get(f"/documents/{name}?start=300000&end=300006")
    assert '<mark id="quote">NEEDLE</mark>' in answer.text
    assert "Only a part of 600,006 characters" in answer.text
    assert len(answer.text) < 250_000


@given(st.text("ab \n", max_size=60), st.integers(0, 60), st.integers(0, 60), st.integers(1, 20))
def test_surroundings_are_what_stands_there(text: str, start: int, length: int, reach: int) -> None:
    start = min(start, len(text))
    end = min(start + length, len(text))
    before, after = surroundings(text, start, end, reach)
    assert text[:start].endswith(before.removeprefix("… "))
    assert text[end:].startswith(after.removesuffix(" …"))
    assert (not before.startswith("… ")) or start > reach
    assert len(before) <= reach + 2
    assert len(after) <= reach + 2


def test_a_company_is_shown_once_with_its_other_windows(own_client: httpx.Client, lake: Lake) -> None:
    lake.merge(
        RECOMMENDATIONS,
        [
            story.recommendation("w1", ticker="WIDE", window="90d", strength=0.9, thesis="First line.\nSecond line."),
            story.recommendation("w2", ticker="WIDE", window="30d", strength=0.8),
            story.recommendation("w3", ticker="WIDE", window="7d", strength=0.7, action="sell"),
        ],
    )
    outline = page(own_client, "/")
    assert outline.text.count("WIDE") == 1
    assert "The same over 30d" in outline.text
    assert ("details", {"data-key": "w1"}) in outline.tags


def test_how_values_look() -> None:
    assert rendering.money(Decimal("-1234.5")) == "−$1,234.50"
    assert (rendering.money(None), rendering.money(0)) == ("–", "$0.00")
    assert (rendering.gain(2), rendering.gain(-2), rendering.gain(0)) == ("▲ $2.00", "▼ $2.00", "● $0.00")
    assert (rendering.shares(Decimal("1.500000")), rendering.shares(10), rendering.shares(None)) == ("1.5", "10", "–")
    assert (rendering.percent(0.256), rendering.signed(-0.5), rendering.number(2)) == ("26 %", "−0.50", "2.00")
    now = datetime(2026, 1, 1, tzinfo=UTC)
    spans = {3: "just now", 42: "42 s ago", 90: "2 min ago", 7200: "2 h ago", 200_000: "2 d ago", -30: "in 30 s"}
    assert {seconds: rendering.ago(now - timedelta(seconds=seconds), now) for seconds in spans} == spans
    assert rendering.ago(None, now) == "never"
    assert rendering.web_address("https://a.example/x") == "https://a.example/x"
    for address in ("javascript:alert(1)", "data:text/html,x", " https://a", "//a", "", None):
        assert rendering.web_address(address) == ""


@given(st.lists(st.floats(-1e9, 1e9), max_size=40))
def test_a_sparkline_stays_in_its_box(values: list[float]) -> None:
    points = rendering.sparkline(list(values)).split()
    assert len(points) == (len(values) if len(values) > 1 else 0)
    for point in points:
        x, y = map(float, point.split(","))
        assert 0 <= x <= 240.1
        assert 1.9 <= y <= 46.1
