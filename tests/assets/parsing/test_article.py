"""Which passages are the article: gaps are filled, tails cut, and the library is not believed where it finds nothing."""

import re
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stonks_assets.parsing.html import main_text, parse_tree
from stonks_assets.parsing.passages import passages
from stonks_cli.bench.parse import Ground, token_f1

TOPICS = (
    "revenue",
    "margins",
    "hiring",
    "exports",
    "inventory",
    "pricing",
    "guidance",
    "logistics",
    "research",
    "debt",
)
PARAGRAPHS = [
    f"Orion Systems told analysts on Tuesday that its {topic} had developed better than the company planned in spring, "
    f"and the chief executive added that {topic} would stay the measure of the coming two quarters."
    for topic in TOPICS
]
LINKS = "".join(f'<li><a href="/{i}">Another story about something number {i}</a></li>' for i in range(12))


def page(body: str, head: str = "") -> str:
    return (
        f"<html><head><title>T</title>{head}<script>1</script></head><body><nav><ul>{LINKS}</ul></nav>"
        f"{body}<footer><p>All rights reserved. Terms of use.</p></footer></body></html>"
    )


def prose(paragraphs: list[str]) -> str:
    return "".join(f"<p>{paragraph}</p>" for paragraph in paragraphs)


def test_the_article_and_nothing_else() -> None:
    teasers = f"<h3>More stories</h3><ul>{LINKS}</ul>"
    text = main_text(
        page(f"<article><h1>Orion grows</h1>{prose(PARAGRAPHS)}{teasers}</article><aside>{teasers}</aside>")
    )
    assert text.split("\n") == PARAGRAPHS


def test_a_repeated_paragraph_is_said_as_often_as_the_page_says_it() -> None:
    text = main_text(page(f"<article>{prose([PARAGRAPHS[0]] * 3 + PARAGRAPHS)}</article>"))
    assert text.count(PARAGRAPHS[0]) == 4


def test_an_article_that_the_page_shows_twice_is_read_once() -> None:
    shown = f"<h1>Orion grows</h1>{prose(PARAGRAPHS)}"
    text = main_text(page(f'<div class="story"><div>{shown}</div><h3>Other reports</h3><div>{shown}</div></div>'))
    assert text.split("\n") == PARAGRAPHS


def test_a_first_paragraph_shown_again_in_a_box_above_brings_nothing_of_the_box() -> None:
    box = (
        f"<div><p>{PARAGRAPHS[0]}</p><div>Check out your photo now, and look for it in our print editions.</div></div>"
    )
    text = main_text(page(f'<div class="story">{box}<h1>Orion grows</h1>{prose(PARAGRAPHS)}</div>'))
    assert text.split("\n") == PARAGRAPHS


@pytest.mark.parametrize("name", ["reader-comments", "visitors_comment_block", "comentarios"])
def test_comments_are_not_the_article(name: str) -> None:
    said = [f"I do not believe a word about the {topic} of this company, and nobody should. " * 3 for topic in TOPICS]
    text = main_text(
        page(f'<div><div>{prose(PARAGRAPHS)}</div><div><div class="{name}">{prose(said)}</div></div></div>')
    )
    assert text.split("\n") == PARAGRAPHS


def test_an_article_that_is_split_into_containers_of_one_name_is_read_to_its_end() -> None:
    parts = [
        f'<div><div class="body-part">{prose([f"{line} ({i})" + "." for line in PARAGRAPHS])}</div></div>'
        for i in range(3)
    ]
    text = main_text(page("<article>" + '<div class="ad-slot"><p>Advertisement</p></div>'.join(parts) + "</article>"))
    assert [line.count(PARAGRAPHS[0]) + line.count("(2)") for line in text.split("\n")].count(2) == 1
    assert len(text.split("\n")) == 3 * len(PARAGRAPHS)
    assert "Advertisement" not in text


@pytest.mark.parametrize("name", ["paywall", "post tag-sidebars tag-ads", "sidebar-content"])
def test_a_name_that_holds_the_article_does_not_make_it_furniture(name: str) -> None:
    lines = "".join(f'<p class="{name}">{paragraph}</p>' for paragraph in PARAGRAPHS)
    assert main_text(page(f"<article>{lines}</article>")).split("\n") == PARAGRAPHS


def test_a_first_paragraph_without_a_paragraph_of_its_own_is_found() -> None:
    text = main_text(page(f'<div class="story">{PARAGRAPHS[0]}{prose(PARAGRAPHS[1:])}</div>'))
    assert text.startswith(PARAGRAPHS[0])


@pytest.mark.parametrize(
    "tail",
    [
        "<p>Sign up for our newsletter to get the best stories.</p>",
        '<p><a href="/a">Orion opens a plant</a></p><p><a href="/b">Petra closes one</a></p>',
        "<h3>Related stories</h3>"
        + "".join(f'<h4><a href="/{i}">Story {i} of the day</a></h4><p>Its teaser.</p>' for i in range(4)),
        "<p>\u00a9 2026 Example Wire. All rights reserved.</p>",
    ],
)  # fmt: skip
def test_tails_are_cut(tail: str) -> None:
    text = main_text(page(f"<article>{prose(PARAGRAPHS)}{tail}</article>"))
    assert text.endswith(PARAGRAPHS[-1])


def test_tables_and_lists_of_the_article_stay() -> None:
    sales, loss = "<td>Net sales</td><td>$</td><td>1,234</td>", "<td>Loss</td><td>(</td><td>56</td><td>)</td>"
    table = f"<table><tr>{sales}</tr><tr>{loss}</tr></table>"
    items = "<ul><li>Sales in Europe rose by four percent over the year.</li><li>Sales in Asia fell by one percent.</li></ul>"
    text = main_text(page(f"<article>{prose(PARAGRAPHS[:5])}{table}{items}{prose(PARAGRAPHS[5:])}</article>"))
    assert "Net sales | $1,234" in text
    assert "Loss | (56)" in text
    assert "Sales in Asia fell by one percent." in text


def test_what_the_page_states_for_machines_speaks_where_it_shows_nothing() -> None:
    stated = " ".join(PARAGRAPHS)
    linked = f'<script type="application/ld+json">{{"@graph": [{{"@type": ["NewsArticle"], "articleBody": "{stated}"}}]}}</script>'
    assert main_text(page("<div>Loading</div>", linked)) == stated


def test_a_bare_document_is_read_whole() -> None:
    table = "<table><tr><td>EPS</td><td>$</td><td>1.05</td></tr></table>"
    html = f"<html><body><p>Exhibit 99.1</p>{prose(PARAGRAPHS[:2])}{table}</body></html>"
    text = main_text(html)
    assert text.startswith("Exhibit 99.1")
    assert text.endswith("EPS | $1.05")


def test_chinese_prose_is_counted_by_characters() -> None:
    line = "\u516c\u53f8\u5468\u4e8c\u8868\u793a\u7b2c\u4e09\u5b63\u5ea6\u8425\u6536\u589e\u957f\u8d85\u51fa\u9884\u671f\u3002"
    text = main_text(page(f"<article>{prose([line * 3] * 6)}</article>"))
    assert text.count(line) == 18


@given(
    st.lists(
        st.sampled_from(
            ["<p>", "</p>", "<div>", "</div>", "<table><tr><td>", "</td></tr>", "<br>", "<a>", "</a>", "a b", "1,2"]
        )
    )
)
@settings(max_examples=150, deadline=None)
def test_passages_hold_every_word_once(pieces: list[str]) -> None:
    tree = parse_tree("<body>" + " ".join(pieces) + "</body>")
    assert tree is not None
    shown = Counter(re.findall(r"\w+", " ".join(p.text for p in passages(tree))))
    assert shown == Counter(re.findall(r"\w+", tree.text_content()))


def test_deep_and_broken_pages_are_read() -> None:
    assert "deep" in main_text("<div>" * 1000 + "<p>deep</p>" + "<script>")


def test_labelled_pages_are_read_as_well_as_the_best_library_reads_them(shared_data: Path) -> None:
    pages = Ground.found(shared_data / "articles", None).pages
    scores = [token_f1(gold, main_text(html)) for html, gold in pages]
    assert sum(scores) / len(scores) > 0.97, scores
