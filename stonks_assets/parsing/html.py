"""HTML to the text that a reader would see: main text of news pages, whole text of filings with their tables.

Pure; the tree is lxml's. Hidden elements go first, because what no reader sees must not speak to a model.
"""

import re
from dataclasses import dataclass
from itertools import dropwhile

import lxml.html
from lxml.etree import ParserError
from lxml.html import HtmlElement

from stonks_assets.parsing.article import article_passages
from stonks_assets.parsing.blocks import block_text
from stonks_assets.parsing.hidden import drop_hidden
from stonks_assets.parsing.linked_data import article_body
from stonks_assets.parsing.passages import passages
from stonks_assets.parsing.text import normalise

SHORT = 500  # characters of an article below which what the page states for machines may say more
NEXT_TO_NOTHING = 80  # characters below which the whole body is compared
_HEAD_TAGS = frozenset({"title", "meta", "link", "base", "script", "style", "noscript", "template"})
_SITE_TAGS = ("script", "nav", "article", "main", "aside", "footer", "header", "form")
_XML_DECLARATION = re.compile(r"^\s*(?:<\?xml[^>]*\?>|\ufeff)+\s*", re.IGNORECASE)
_TAG = re.compile(r"<[A-Za-z!/?][^>]{0,2000}>")
_CHARSET = re.compile(rb"<meta[^>]{0,200}charset\s*=\s*[\"']?\s*([A-Za-z0-9_.:-]{2,40})", re.IGNORECASE)
_NO_CHARACTER = re.compile(  # what XML text cannot hold, written out or as a reference
    "[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]"
    "|&#0*(?:[0-8]|1[124-9]|2[0-9]|3[01]|6553[45])(?:;|(?![0-9]))"
    "|&#[xX]0*(?:[0-8bcefBCEF]|1[0-9a-fA-F]|[fF]{3}[efEF])(?:;|(?![0-9a-fA-F]))"
)


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
    cleaned = _XML_DECLARATION.sub("", _NO_CHARACTER.sub(" ", html))
    try:
        return _with_body(lxml.html.document_fromstring(cleaned.encode(), parser=parser))
    except ParserError:
        return None


def _with_body(tree: HtmlElement) -> HtmlElement:
    """The tree with a body where the page writes none: the parser leaves its `article`, `main` or `nav` in the head."""
    head, body = tree.find("head"), tree.find("body")
    misplaced = [] if head is None else list(dropwhile(lambda child: child.tag in _HEAD_TAGS, head))
    if misplaced:
        body = lxml.html.Element("body") if body is None else body
        head.addnext(body)
        opening, body.text = body.text, None
        misplaced[-1].tail = (misplaced[-1].tail or "") + (opening or "")
        body[:0] = misplaced
    return tree


@dataclass(frozen=True)
class Page:
    """What a reader sees of a page: the text of its article, and how many characters the whole page shows."""

    text: str
    visible_characters: int


def all_text(html: str, *, slides: bool = False) -> str:
    """Everything a reader sees of a page, tables row by row; plain text passes through.

    With `slides`, text that is tiny or has its background's colour stays: filing agents set the words of slides that
    are images in this way.
    """
    if not looks_like_html(html):
        return normalise(html)
    tree = parse_tree(html)
    return "" if tree is None else normalise(block_text(drop_hidden(tree, slides=slides)))


def main_text(html: str) -> str:
    """The main text of a news page, without navigation, teasers and comments; plain text passes through."""
    if not looks_like_html(html):
        return normalise(html)
    tree = parse_tree(html)
    return "" if tree is None else read_page(tree).text


def read_page(tree: HtmlElement) -> Page:
    """The article of a page's tree, from which hidden text is taken out in place.

    Where the page shows next to no article, the text that it states for search engines (JSON-LD `articleBody`)
    speaks if it is longer, then the body without its furniture.
    """
    bare = _is_bare(tree)
    stated = normalise(article_body(tree))
    drop_hidden(tree)
    if bare:
        text = normalise(block_text(tree))
        return Page(text, len(text))
    shown = passages(tree)
    text = normalise("\n".join(passage.text for passage in article_passages(tree, shown)))
    if len(text) < SHORT and len(stated) > 2 * len(text):
        text = stated
    if len(text) < NEXT_TO_NOTHING:
        body = normalise("\n".join(p.text for p in shown if p.furniture is None))
        text = max(text, body, key=len)
    return Page(text, max(len(text), sum(len(passage.text) + 1 for passage in shown)))


def _is_bare(tree: HtmlElement) -> bool:
    """Whether a page is nothing but a document, as exhibits and saved releases are: no script, sheet or navigation."""
    if any(next(tree.iter(name), None) is not None for name in _SITE_TAGS):
        return False
    return not tree.xpath('//link[@rel="stylesheet"] | //meta[starts-with(@property, "og:")]')
