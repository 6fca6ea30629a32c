"""A page as the passages that a reader sees, in order, each with what tells an article from what stands around it.

Pure. A passage is a run of text between two block boundaries, a whole table row, or a line between two breaks.
"""

import re
from dataclasses import dataclass

from lxml.html import HtmlElement

from stonks_assets.parsing.blocks import BLOCK_TAGS, CELL_TAGS, row_text

LONGEST_CELL = 400  # characters; a cell with more is a column of prose
_ONE_BY_ONE = "\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff"  # characters of scripts that put no blanks between words
_WORD = re.compile(rf"[{_ONE_BY_ONE}]|[^\W{_ONE_BY_ONE}]+")
_FURNITURE_TAGS = frozenset({"nav", "aside", "footer", "form", "button", "dialog", "menu", "figcaption", "label"})
_COMMENT_NAMES = re.compile(
    r"(?:^|[\s_-])(?:comments?|coment[aá]rios?|commentaires?|kommentare?|disqus)(?:$|[\s_-])", re.IGNORECASE
)
_FURNITURE_NAMES = re.compile(
    r"(?:^|[\s_-])(?:share|sharing|social|related|recommend\w*|promo\w*|newsletter|byline|author-?(?:bio|box|info)"
    r"|tags|tag-?(?:list|cloud)|advert\w*|ads?|sponsor\w*|sidebar|breadcrumbs?|pagination|subscri\w*|sign-?up|outbrain|taboola|trending"
    r"|most-?(?:read|popular)|caption|credit|copyright|read-?more|more-?(?:stories|news|from|on)|navigation|nav|menu|toolbar"
    r"|footer|cookie\w*|popup|modal|teaser|widget|recirc\w*|print-?only|follow)(?:$|[\s_-])",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Passage:
    """A piece of visible text.

    `element` is the innermost block that holds it, `linked` counts its words in links, `furniture` is the innermost
    element around it that is by tag or by name no part of an article, `comments` the innermost that is named for them.
    """

    text: str
    element: HtmlElement
    words: tuple[str, ...]
    linked: int
    furniture: HtmlElement | None
    comments: HtmlElement | None

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


@dataclass(frozen=True)
class _Around:
    """What stands around a place of the page: the innermost furniture, and the innermost element of comments."""

    furniture: HtmlElement | None = None
    comments: HtmlElement | None = None

    def within(self, element: HtmlElement) -> "_Around":
        """What stands around the inside of an element; the whole page is never furniture."""
        if element.tag in {"body", "html"}:
            return self
        names = f"{element.get('class') or ''} {element.get('id') or ''}"
        if _COMMENT_NAMES.search(names):
            return _Around(element, element)
        if element.tag in _FURNITURE_TAGS or _FURNITURE_NAMES.search(names):
            return _Around(element, self.comments)
        return self


class _Collector:
    def __init__(self) -> None:
        self.found: list[Passage] = []
        self._parts: list[tuple[str, bool]] = []
        self._around = _Around()

    def walk(self, root: HtmlElement) -> None:
        """Without recursion: hostile pages nest tens of thousands deep."""
        block, links = root, 0
        stack = [(root, False, root, self._around)]
        while stack:
            element, done, outer, around = stack.pop()
            name = element.tag if isinstance(element.tag, str) else ""
            breaks = name in BLOCK_TAGS or name in {"br", *CELL_TAGS}
            if done:
                links -= name == "a"
                if breaks:
                    self._flush(block)
                block, self._around = outer, around
                if element is not root:
                    self._add(element.tail, links)
                continue
            if breaks:
                self._flush(block)
            self._around = around.within(element)
            if name == "tr" and self._row(element):
                self._around = around
                self._add(element.tail, links)
                continue
            stack.append((element, True, block, around))
            block = element if name in BLOCK_TAGS or name in CELL_TAGS else block
            links += name == "a"
            self._add(element.text, links)
            stack.extend((child, False, block, self._around) for child in reversed(element))
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
        self._take(text, row, linked)
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
            self._take(text, block, linked)
        self._parts = []

    def _take(self, text: str, element: HtmlElement, linked: int) -> None:
        around = self._around
        self.found.append(Passage(text, element, word_list(text), linked, around.furniture, around.comments))
