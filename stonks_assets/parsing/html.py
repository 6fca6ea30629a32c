"""HTML to the text that a reader would see: main text of news pages, whole text of filings with their tables.

Pure; the tree is lxml's. Hidden elements go first, because what no reader sees must not speak to a model.
"""

import re
from collections.abc import Iterable

import lxml.html
import trafilatura
from bs4 import BeautifulSoup
from lxml.etree import ParserError
from lxml.html import HtmlElement

from stonks_assets.parsing.blocks import block_text
from stonks_assets.parsing.text import normalise

FALLBACK_BELOW = 250  # characters; a main text shorter than this is compared with everything the page shows
_SILENT = frozenset(
    {
        *("script", "style", "noscript", "template", "iframe", "object", "embed", "svg", "math", "canvas", "audio"),
        *("video", "select", "datalist", "head", "title", "ix:header", "ix:hidden", "ix:references", "ix:resources"),
    }
)
_FURNITURE = ("nav", "header", "footer", "aside", "form", "button", "dialog", "menu")
_HIDING_STYLE = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*(?:hidden|collapse)|opacity\s*:\s*0*(?:\.0+)?\s*(?:;|!|$)"
    r"|(?:text-indent|left|top)\s*:\s*-\d{4,}",
    re.IGNORECASE,
)
_FONT_SIZE = re.compile(r"font-size\s*:\s*([\d.]+)", re.IGNORECASE)
_XML_DECLARATION = re.compile(r"^\s*(?:<\?xml[^>]*\?>|\ufeff)+\s*", re.IGNORECASE)
_TAG = re.compile(r"<[A-Za-z!/?][^>]{0,2000}>")
_CHARSET = re.compile(rb"<meta[^>]{0,200}charset\s*=\s*[\"']?\s*([A-Za-z0-9_.:-]{2,40})", re.IGNORECASE)
_NUL = dict.fromkeys((0, *range(0xD800, 0xE000)))


def looks_like_html(text: str) -> bool:
    """Whether a text holds markup."""
    return _TAG.search(text[:20_000]) is not None


def decode(payload: bytes, media_type: str = "") -> str:
    """The payload's characters: by byte order mark, the media type's charset, the page's own, UTF-8, Windows-1252.

    Never fails: Windows-1252 with replacement takes what nothing else could.
    """
    stated = re.search(r"charset=[\"']?([\w.:-]+)", media_type, re.IGNORECASE)
    within = _CHARSET.search(payload[:4096])
    guesses = ["utf-8-sig"] if payload.startswith(b"\xef\xbb\xbf") else []
    guesses += ["utf-16"] if payload[:2] in {b"\xff\xfe", b"\xfe\xff"} else []
    guesses += [stated.group(1)] if stated else []
    guesses += [within.group(1).decode("ascii")] if within else []
    for encoding in [*guesses, "utf-8"]:
        try:
            return payload.decode(encoding)
        except (UnicodeDecodeError, LookupError):
            continue
    return payload.decode("cp1252", errors="replace")


def parse_tree(html: str) -> HtmlElement | None:
    """The page's tree, or None where there is no element in it."""
    parser = lxml.html.HTMLParser(huge_tree=True, remove_comments=True, remove_pis=True, encoding="utf-8")
    cleaned = _XML_DECLARATION.sub("", html.translate(_NUL))
    try:
        return lxml.html.document_fromstring(cleaned.encode(), parser=parser)
    except ParserError:
        return None


def drop_hidden(tree: HtmlElement) -> HtmlElement:
    """Take out, in place, what no reader sees: silent elements, hidden ones, text of size zero."""
    doomed = [element for element in tree.iter() if _is_hidden(element)]
    for element in doomed:
        if element.getparent() is not None:
            element.drop_tree()
    for element in [e for e in tree.iter() if isinstance(e.tag, str) and _font_size(e) == 0]:
        _blank(element)
    return tree


def _is_hidden(element: HtmlElement) -> bool:
    if not isinstance(element.tag, str):
        return True
    if element.tag in _SILENT or element.get("hidden") is not None:
        return True
    if (element.get("aria-hidden") or "").strip().lower() == "true":
        return True
    style = element.get("style")
    return bool(style) and _HIDING_STYLE.search(style or "") is not None


def _font_size(element: HtmlElement) -> float | None:
    found = _FONT_SIZE.search(element.get("style") or "")
    if found is None:
        return None
    try:
        return float(found.group(1))
    except ValueError:
        return None


def _blank(element: HtmlElement) -> None:
    """Empty the text below an element of font size zero, except where a descendant gives itself a size again."""
    waiting = [element]
    while waiting:
        current = waiting.pop()
        current.text = None
        for child in current:
            child.tail = None
            if not _font_size(child):
                waiting.append(child)


def all_text(html: str) -> str:
    """Everything a reader sees of a page, tables row by row; plain text passes through."""
    if not looks_like_html(html):
        return normalise(html)
    tree = parse_tree(html)
    return "" if tree is None else normalise(block_text(drop_hidden(tree)))


def main_text(html: str) -> str:
    """The main text of a news page, without navigation, teasers and comments; plain text passes through.

    trafilatura decides, with precision before recall; where it finds next to nothing and the page's body has
    more to say, the body without its furniture is taken.
    """
    if not looks_like_html(html):
        return normalise(html)
    tree = parse_tree(html)
    if tree is None:
        return ""
    cleaned = lxml.html.tostring(drop_hidden(tree), encoding="unicode")
    found = trafilatura.extract(
        cleaned, favor_precision=True, include_comments=False, include_tables=True, output_format="txt"
    )
    text = normalise(found or "")
    if len(text) >= FALLBACK_BELOW:
        return text
    body = _body_text(cleaned)
    return body if len(body) > len(text) else text


def _body_text(html: str) -> str:
    """Text of the article element, else of the main element, else of the body, without navigation and forms."""
    soup = BeautifulSoup(html, "lxml")
    for name in _FURNITURE:
        for element in soup.find_all(name):
            element.decompose()
    root = soup.find("article") or soup.find("main") or soup.body or soup
    return normalise("\n".join(_paragraphs(root.get_text("\n").split("\n"))))


def _paragraphs(lines: Iterable[str]) -> list[str]:
    return [line for line in lines if line.strip()]
