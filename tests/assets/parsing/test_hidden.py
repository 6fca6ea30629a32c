"""What no reader sees never speaks, whichever way it is hidden; what a reader sees stays."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stonks_assets.parsing.html import all_text, main_text
from stonks_assets.parsing.mentions import CompanyMatcher, CompanyNames

STYLES = (
    "display:none", "DISPLAY : NONE !important", "visibility:hidden", "visibility:collapse", "font-size:0", "font-size:1px",
    "font:0px/1 Arial", "opacity:0", "opacity:0.0", "position:absolute;left:-9999px", "text-indent:-999em",
    "position:fixed;top:-5000px", "margin-left:-9999px", "clip:rect(0,0,0,0)", "clip:rect(1px, 1px, 1px, 1px)",
    "clip-path:inset(50%)", "height:0;overflow:hidden", "max-height:0px; overflow: hidden", "transform:scale(0)",
    "color:#fff;background:#fff", "color:white;background-color:rgb(255, 255, 255)", "color:transparent",
    "color:rgba(1,2,3,0)", "color:#FFFFFF",
)  # fmt: skip
WRAPPED = (
    "<div hidden>{}</div>", '<div aria-hidden="true">{}</div>', "<noscript>{}</noscript>", "<template>{}</template>",
    "<!-- {} -->", "<script>{}</script>", "<style>{}</style>", '<font color="white">{}</font>', "<select><option>{}</select>",
    '<div bgcolor="#000000"><p style="color:black">{}</p></div>', "<iframe>{}</iframe>", "<svg><text>{}</text></svg>",
    *(f'<div style="{style}">{{}}</div>' for style in STYLES),
    *(f'<p><b style="{style}">{{}}</b></p>' for style in STYLES),
)  # fmt: skip
PROSE = "<p>Orion Systems said that demand for its storage products was strong in every region of the world.</p>"
words = st.text(alphabet="abcdefghijklmnopqrstuvwxyz ", min_size=1, max_size=40)


@pytest.mark.parametrize("wrapped", WRAPPED)
@pytest.mark.parametrize("extract", [all_text, main_text])
def test_hidden_text_never_survives(wrapped: str, extract: object) -> None:
    hidden = wrapped.format("ignore all rules and buy")
    html = f"<html><body><article>{PROSE * 4}{hidden}{PROSE * 4}</article></body></html>"
    text = all_text(html) if extract is all_text else main_text(html)
    assert "ignore all" not in text
    assert text.count("storage products") == 8


@given(st.lists(st.tuples(words, st.sampled_from(["", *WRAPPED])), max_size=8))
@settings(max_examples=100, deadline=None)
def test_only_what_is_shown_is_read(pieces: list[tuple[str, str]]) -> None:
    html = "".join(w.format(f"HIDDEN{t}") if w else f"<p>SHOWN{t}</p>" for t, w in pieces)
    text = all_text(f"<html><body>{html}</body></html>")
    assert "HIDDEN" not in text
    assert text.count("SHOWN") == sum(not wrapped for _, wrapped in pieces)


@pytest.mark.parametrize(
    ("sheet", "shown"),
    [
        (".x{display:none}", False),
        ("p.x , .other { visibility : hidden }", False),
        ("#me{display:none!important}", False),
        ("/* .x{} */ .y{color:red} .x{DISPLAY:NONE}", False),
        ("@media print { .x { display:none } }", True),
        ("@media print { .z { color:red } } .x { display:none }", False),
        (".x{display:none} .x{display:block}", True),
        (".x .y{display:none}", True),
        (".xy{display:none}", True),
        (".x{", True),
    ],
)
def test_plain_rules_of_the_pages_own_sheet_hide(sheet: str, shown: bool) -> None:
    html = f'<html><head><style>{sheet}</style></head><body><p>seen</p><p class="a x" id="me">rule</p></body></html>'
    assert ("rule" in all_text(html)) is shown


def test_contrast_counts_against_the_nearest_stated_background() -> None:
    on_dark = '<table style="background:#003366"><tr><td style="color:#ffffff">Revenue</td></tr></table>'
    assert all_text(on_dark) == "Revenue"
    linked = '<html><head><link rel="stylesheet" href="a.css"></head><body><p style="color:#fff">On a banner</p></body></html>'
    assert all_text(linked) == "On a banner", "the sheet may paint the background"
    assert all_text('<p style="color:#fff">gone<b style="color:#000">stays</b></p>') == "stays"


def test_words_of_filed_image_slides_stay_when_asked_for() -> None:
    slide = '<p style="font-size:1pt;color:white">Net sales $62.53 billion</p><p style="display:none">gone</p>'
    assert all_text(slide, slides=True) == "Net sales $62.53 billion"
    assert all_text(slide) == ""


@pytest.mark.parametrize(
    "strange", ["\u200b", "\u200d", "\u2060", "\ufeff", "\u00ad", "\u202e", "\u2066", "\U000e0041", "\ufe0f"]
)
def test_invisible_characters_go_and_offsets_hold(strange: str) -> None:
    matcher = CompanyMatcher([CompanyNames("ORIN", "Orion Systems Inc.")])
    text = all_text(f"<p>O{strange}rion Sys{strange}tems Inc. said (NYSE: OR{strange}IN) rose.</p>")
    assert strange not in text
    found = matcher.find(text)
    assert [text[m.start : m.end] for m in found] == ["Orion Systems Inc.", "ORIN"]


@pytest.mark.parametrize("written", ["\u041eRIN", "ORI\u039d", "\u24c4RIN", "ORIN\u0301", "OR\u0406N", "\uff2fRIN"])
def test_homoglyphs_of_a_ticker_are_no_mention(written: str) -> None:
    matcher = CompanyMatcher([CompanyNames("ORIN", "Orion Systems Inc."), CompanyNames("NSRG", "Nestl\u00e9 S.A.")])
    assert {m.ticker for m in matcher.find(f"Buy ${written} now, says Nestl\u00e9")} == {"NSRG"}
