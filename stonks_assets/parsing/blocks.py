"""An HTML tree to lines: one line per block, one line per table row with its cells joined by ` | `.

Pure. Tables of press releases hold half of the news, so every number of a cell survives; `$`, `%` and closing
brackets that filers put into cells of their own are joined to their number.
"""

import re
from dataclasses import dataclass, field

from lxml.etree import iterwalk
from lxml.html import HtmlElement

CELL_SEPARATOR = " | "
BLOCK_TAGS = frozenset(
    {
        *("address", "article", "aside", "blockquote", "body", "caption", "center", "dd", "details", "dialog", "dir"),
        *("div", "dl", "dt", "fieldset", "figcaption", "figure", "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6"),
        *("header", "hr", "html", "legend", "li", "main", "menu", "nav", "ol", "p", "pre", "section", "summary"),
        *("table", "tbody", "tfoot", "thead", "ul", "document", "text", "page"),
    }
)
_HEADINGS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6", "p", "table"})
CELL_TAGS = frozenset({"td", "th"})
_OPENERS = re.compile(r"[$€£¥(+-]|\(\s*\$|\$\s*\(|US\$")
_CLOSERS = re.compile(r"[)%]+|\)\s*%|pts?\.?|bps")


@dataclass
class _Cell:
    parts: list[str] = field(default_factory=list)
    line_breaks: int = 2  # at its end, so that a block boundary never makes more of them than it needs

    def add(self, text: str) -> None:
        if text.isspace() and self.line_breaks:
            return
        self.parts.append(text)
        self.line_breaks = 0

    def break_line(self, count: int) -> None:
        missing = count - self.line_breaks
        if missing > 0:
            self.parts.append("\n" * missing)
            self.line_breaks = count

    def text(self) -> str:
        lines = [" ".join(line.split()) for line in "".join(self.parts).split("\n")]
        return "\n".join(line for line in lines if line)


@dataclass
class _Row:
    cells: list[str] = field(default_factory=list)


def block_text(tree: HtmlElement) -> str:
    """The tree's text with a line break between blocks and an empty line around paragraphs and tables."""
    walker = _Walker()
    for event, element in iterwalk(tree, events=("start", "end")):
        name = element.tag if isinstance(element.tag, str) else ""
        if event == "start":
            walker.start(name)
            walker.add(element.text)
        else:
            walker.end(name)
            if element is not tree:
                walker.add(element.tail)
    return walker.result()


class _Walker:
    """Collects text into the innermost open cell, or into the page where there is none."""

    def __init__(self) -> None:
        self._page = _Cell()
        self._stack: list[_Cell | _Row] = []

    def add(self, text: str | None) -> None:
        if not text:
            return
        top = self._stack[-1] if self._stack else self._page
        if isinstance(top, _Row):
            if not text.strip():
                return
            top = self._sink()
        # The source's own line breaks are layout; those of blocks are made here.
        top.add(text.replace("\r", " ").replace("\n", " "))

    def start(self, name: str) -> None:
        if name == "tr":
            self._stack.append(_Row())
        elif name in CELL_TAGS and self._stack and isinstance(self._stack[-1], _Row):
            self._stack.append(_Cell())
        else:
            self._break(_breaks(name))

    def end(self, name: str) -> None:
        top = self._stack[-1] if self._stack else None
        if name in CELL_TAGS and isinstance(top, _Cell):
            self._stack.pop()
            row = self._stack[-1]
            if isinstance(row, _Row):
                row.cells.append(top.text())
        elif name == "tr" and isinstance(top, _Row):
            self._stack.pop()
            sink, line = self._sink(), row_text(top.cells)
            if line:
                sink.break_line(1)
                sink.add(line)
                sink.break_line(1)
        else:
            self._break(_breaks(name))

    def result(self) -> str:
        return "".join(self._page.parts)

    def _sink(self) -> _Cell:
        for item in reversed(self._stack):
            if isinstance(item, _Cell):
                return item
        return self._page

    def _break(self, count: int) -> None:
        if count:
            self._sink().break_line(count)


def _breaks(name: str) -> int:
    if name in _HEADINGS:
        return 2
    return 1 if name in BLOCK_TAGS or name in {"br", *CELL_TAGS} else 0


def row_text(cells: list[str]) -> str:
    """One line for a row of several cells; a row of one cell (a layout table) keeps its lines."""
    filled = [cell for cell in cells if cell]
    if len(filled) == 1:
        return filled[0]
    joined: list[str] = []
    opener = ""
    for cell in (" ".join(cell.split()) for cell in filled):
        if _CLOSERS.fullmatch(cell) and joined and not opener:
            joined[-1] += cell
        elif _OPENERS.fullmatch(cell):
            opener += cell
        else:
            joined.append(opener + cell)
            opener = ""
    if opener:
        joined.append(opener)
    return CELL_SEPARATOR.join(joined)
