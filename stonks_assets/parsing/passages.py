"""A page as the passages that a reader sees, in order, each with what tells an article from what stands around it.

Pure. A passage is a run of text between two block boundaries, a whole table row, or a line between two breaks.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from lxml.html import HtmlElement

from stonks_assets.parsing.blocks import BLOCK_TAGS, CELL_TAGS, row_text

LONGEST_CELL = 400  # characters; a cell with more is a column of prose
_ONE_BY_ONE = "\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff"  # characters of scripts that put no blanks between words
_WORD = re.compile(rf"[{_ONE_BY_ONE}]|[^\W{_ONE_BY_ONE}]+")
_FURNITURE_TAGS = frozenset({"nav", "aside", "footer", "form", "button", "dialog", "menu", "figcaption", "label"})
_FURNITURE_NAMES = re.compile(
    r"(?:^|[\s_-])(?:share|sharing|social|related|recommend\w*|promo\w*|newsletter|comments?|disqus|byline|author-?(?:bio|box|info)"
    r"|tags?|tag-?list|advert\w*|ads?|sponsor\w*|sidebar|breadcrumbs?|pagination|subscri\w*|sign-?up|outbrain|taboola|trending"
    r"|most-?(?:read|popular)|caption|credit|copyright|read-?more|more-?(?:stories|news|from|on)|navigation|nav|menu|toolbar"
    r"|footer|cookie\w*|popup|modal|paywall|teaser|widget|recirc\w*|print-?only|follow)(?:$|[\s_-])",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Passage:
    """A piece of visible text. `element` is the innermost block that holds it, `linked` counts its words in links."""

    text: str
    element: HtmlElement
    words: tuple[str, ...]
    linked: int

    @property
    def link_share(self) -> float:
        """The share of its words that are links, in [0, 1]."""
        return self.linked / len(self.words) if self.words else 0.0


def word_list(text: str) -> tuple[str, ...]:
    """Runs of word characters, lowered, in order; Chinese and Japanese characters one by one."""
    return tuple(_WORD.findall(text.lower()))


def passages(tree: HtmlElement) -> list[Passage]:
    """All passages of a tree from which hidden text is gone already, in document order."""
    collector = _Collector()
    collector.walk(tree)
    return collector.found


def is_furniture(element: HtmlElement, within: HtmlElement | None) -> bool:
    """Whether an element, or one that holds it below `within`, is by tag or by name no part of an article."""
    for current in _upwards(element, within):
        if current.tag in _FURNITURE_TAGS:
            return True
        if _FURNITURE_NAMES.search(f"{current.get('class') or ''} {current.get('id') or ''}"):
            return True
    return False


def _upwards(element: HtmlElement, end: HtmlElement | None) -> Iterator[HtmlElement]:
    current: HtmlElement | None = element
    while current is not None and current is not end and current.tag not in {"body", "html"}:
        yield current
        current = current.getparent()


class _Collector:
    def __init__(self) -> None:
        self.found: list[Passage] = []
        self._parts: list[tuple[str, bool]] = []

    def walk(self, root: HtmlElement) -> None:
        """Without recursion: hostile pages nest tens of thousands deep."""
        block, links = root, 0
        stack: list[tuple[HtmlElement, bool, HtmlElement]] = [(root, False, root)]
        while stack:
            element, done, outer = stack.pop()
            name = element.tag if isinstance(element.tag, str) else ""
            breaks = name in BLOCK_TAGS or name in {"br", *CELL_TAGS}
            if done:
                links -= name == "a"
                if breaks:
                    self._flush(block)
                block = outer
                if element is not root:
                    self._add(element.tail, links)
                continue
            if breaks:
                self._flush(block)
            if name == "tr" and self._row(element):
                self._add(element.tail, links)
                continue
            stack.append((element, True, block))
            block = element if name in BLOCK_TAGS or name in CELL_TAGS else block
            links += name == "a"
            self._add(element.text, links)
            stack.extend((child, False, block) for child in reversed(element))
        self._flush(root)

    def _row(self, row: HtmlElement) -> bool:
        """Take a row of several filled cells as one passage; one of a layout table is walked like any block."""
        cells = [cell for cell in row if cell.tag in CELL_TAGS]
        texts = [" ".join(cell.text_content().split()) for cell in cells]
        if (
            sum(bool(text) for text in texts) < 2
            or row.find(".//tr") is not None
            or row.find(".//p/../p[2]") is not None
        ):
            return False
        if max(len(text) for text in texts) > LONGEST_CELL:
            return False
        linked = sum(len(word_list(link.text_content())) for link in row.iter("a"))
        text = row_text(texts)
        self.found.append(Passage(text, row, word_list(text), linked))
        return True

    def _add(self, text: str | None, links: int) -> None:
        if text:
            self._parts.append((text, links > 0))

    def _flush(self, block: HtmlElement) -> None:
        if not self._parts:
            return
        text = " ".join("".join(part for part, _ in self._parts).split())
        if text:
            linked = sum(len(word_list(part)) for part, is_link in self._parts if is_link)
            self.found.append(Passage(text, block, word_list(text), linked))
        self._parts = []
