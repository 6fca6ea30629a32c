"""What of a page no reader sees, and so must not speak to a model. Pure; the tree is lxml's and is changed in place.

Elements that are silent by nature, by attribute, by their inline style, or by a plain rule of the page's own style
sheet (`.name`, `#name` or `element.name`, outside of media queries). Text in its background's colour goes too.
"""

import re
from collections.abc import Callable, Iterator
from functools import lru_cache

from lxml.html import HtmlElement

KNOWN_STYLES = 4096  # inline styles that are remembered: filings repeat the same few thousands of times
_SILENT = frozenset(
    {
        *("script", "style", "noscript", "template", "iframe", "object", "embed", "svg", "math", "canvas", "audio"),
        *("video", "select", "datalist", "head", "title", "ix:header", "ix:hidden", "ix:references", "ix:resources"),
    }
)
_GONE = re.compile(r"display\s*:\s*none|visibility\s*:\s*(?:hidden|collapse)", re.IGNORECASE)
_UNSEEN = re.compile(
    r"opacity\s*:\s*0*(?:\.0+)?%?\s*(?:;|!|$)|(?:text-indent|left|top|right|margin-left|margin-top)\s*:\s*-\d{3,}"
    r"|clip\s*:\s*rect\(\s*[01](?:px)?[\s,]+[01](?:px)?[\s,]+[01](?:px)?|clip-path\s*:\s*inset\(\s*(?:50|100)%"
    r"|clip-path\s*:\s*circle\(\s*0|transform\s*:[^;:]{0,99}(?:scale\(\s*0\s*[,)]|translate[xy]?\(\s*-\d{3,})",
    re.IGNORECASE,
)
_NO_ROOM = re.compile(
    r"(?:^|[;\s])(?:max-)?(?:height|width)\s*:\s*[01](?:\.0+)?(?:px|pt|em|rem|%)?\s*(?:;|!|$)", re.IGNORECASE
)
_CLIPPED = re.compile(r"overflow(?:-[xy])?\s*:\s*(?:hidden|clip)", re.IGNORECASE)
_FONT_SIZE = re.compile(r"font-size\s*:\s*([\d.]+)\s*([a-z%]*)", re.IGNORECASE)
_FONT = re.compile(r"(?:^|[;\s])font\s*:\s*(?:[a-z]+\s+)*([\d.]+)(px|pt|em|rem|%)", re.IGNORECASE)
_COLOUR = re.compile(r"(?:^|[;\s])color\s*:\s*([^;!]+)", re.IGNORECASE)
_BACKGROUND = re.compile(r"(?:^|[;\s])background(?:-color)?\s*:\s*([^;!]+)", re.IGNORECASE)
_RGB = re.compile(r"rgba?\(\s*(\d+)\s*[, ]\s*(\d+)\s*[, ]\s*(\d+)\s*(?:[,/]\s*([\d.]+%?)\s*)?\)")
_NAMED = {"white": "ffffff", "black": "000000", "snow": "fffafa", "ivory": "fffff0", "red": "ff0000"}
_WHITE = "ffffff"
_CLEAR = "clear"
_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
_PAINTS = re.compile(r"background|@import", re.IGNORECASE)
_PLAIN_SELECTOR = re.compile(r"[a-z0-9]*[.#][\w-]+|\[hidden\]", re.IGNORECASE)


def drop_hidden(tree: HtmlElement, *, slides: bool = False) -> HtmlElement:
    """Take out, in place, what no reader sees: silent elements, hidden ones, text without size or contrast.

    With `slides`, text that is only tiny or without contrast stays: so are the words of image slides filed.
    """
    ruled = _hidden_by_sheet(tree)
    painting = any(_PAINTS.search(sheet.text or "") for sheet in tree.iter("style"))
    styled = painting or bool(tree.xpath('//link[@rel="stylesheet"]'))
    for element in [element for element in tree.iter() if _is_hidden(element, ruled)]:
        if element.getparent() is not None:
            element.drop_tree()
    written = [element for element in tree.iter() if element.get("style") or element.tag == "font"]
    for element in [e for e in written if _is_tiny(e, least=0 if slides else 1)]:
        _blank(element, _has_size)
    if not slides:
        for element in [e for e in written if _is_colourless(e, styled=styled)]:
            _blank(element, _has_colour)
    return tree


def _is_hidden(element: HtmlElement, ruled: frozenset[str]) -> bool:
    if not isinstance(element.tag, str):
        return True
    if element.tag in _SILENT or element.get("hidden") is not None:
        return True
    if (element.get("aria-hidden") or "").strip().lower() == "true":
        return True
    if element.tag == "input" or (ruled and not ruled.isdisjoint(_selectors(element))):
        return True
    style = element.get("style")
    return bool(style) and _style_hides(style)


@lru_cache(KNOWN_STYLES)
def _style_hides(style: str) -> bool:
    if _GONE.search(style) or _UNSEEN.search(style):
        return True
    return _NO_ROOM.search(style) is not None and _CLIPPED.search(style) is not None


def _selectors(element: HtmlElement) -> Iterator[str]:
    """The plain selectors that fit an element."""
    for name in (element.get("class") or "").split():
        yield f".{name}"
        yield f"{element.tag}.{name}"
    if identity := element.get("id"):
        yield f"#{identity}"
        yield f"{element.tag}#{identity}"


def _hidden_by_sheet(tree: HtmlElement) -> frozenset[str]:
    """The plain selectors that the page's own style sheets hide, and no later rule of the same selector shows."""
    hidden: set[str] = set()
    for sheet in tree.iter("style"):
        for selector, body in _rules(_COMMENT.sub("", sheet.text or "")):
            names = {name.strip() for name in selector.split(",")}
            plain = {name for name in names if _PLAIN_SELECTOR.fullmatch(name)}
            if _GONE.search(body):
                hidden |= plain
            elif re.search(r"display\s*:|visibility\s*:", body, re.IGNORECASE):
                hidden -= plain
    return frozenset(hidden)


def _rules(sheet: str) -> Iterator[tuple[str, str]]:
    """Selector and body of each rule at the top level; what stands in a media query is passed over."""
    depth, start, opened, selector = 0, 0, 0, ""
    for found in re.finditer(r"[{}]", sheet):
        if found.group() == "{":
            if depth == 0:
                selector, opened = sheet[start : found.start()].rpartition(";")[2].strip(), found.end()
            depth += 1
        elif depth:
            depth -= 1
            if depth == 0:
                start = found.end()
                if not selector.startswith("@"):
                    yield selector, sheet[opened : found.start()]


@lru_cache(KNOWN_STYLES)
def _size(style: str) -> tuple[float, str] | None:
    """The font size that a style states, with its unit."""
    found = _FONT_SIZE.search(style) or _FONT.search(style) if "font" in style.lower() else None
    if found is None:
        return None
    try:
        return float(found.group(1)), found.group(2).lower()
    except ValueError:
        return None


def _is_tiny(element: HtmlElement, *, least: float = 1) -> bool:
    size = _size(element.get("style") or "")
    return size is not None and (size[0] == 0 or (size[0] <= least and size[1] in {"px", "pt"}))


def _has_size(element: HtmlElement) -> bool:
    """Whether an element gives itself a size that does not follow its parent's."""
    size = _size(element.get("style") or "")
    return size is not None and not _is_tiny(element) and size[1] not in {"em", "%"}


def _colour(written: str) -> str:
    """A colour as six hexadecimal digits, `clear` where nothing is painted, empty where it is not understood."""
    value = written.strip().lower()
    if value == "transparent":
        return _CLEAR
    if value.startswith("#") and len(value) in {4, 7}:
        return "".join(digit * 2 for digit in value[1:]) if len(value) == 4 else value[1:]
    if found := _RGB.match(value):
        clear = found.group(4) is not None and float(found.group(4).rstrip("%")) == 0
        return _CLEAR if clear else "".join(f"{min(int(part), 255):02x}" for part in found.groups()[:3])
    return _NAMED.get(value, "")


@lru_cache(KNOWN_STYLES)
def _colours(style: str) -> tuple[str, str]:
    """The colours of text and background that a style states, each empty where it states none that is understood."""
    ink, paper = _COLOUR.search(style), _BACKGROUND.search(style)
    painted = paper.group(1).strip() if paper else ""
    if painted and not painted.startswith(("#", "rgb")):
        painted = painted.split()[0]
    return (_colour(ink.group(1)) if ink else "", _colour(painted) if painted else "")


def _ink(element: HtmlElement) -> str:
    written = element.get("color") if element.tag == "font" else None
    return _colours(element.get("style") or "")[0] or _colour(written or "")


def _paper(element: HtmlElement, *, styled: bool) -> str:
    """The background that inline styles state for an element; white where no style sheet could say otherwise."""
    for current in (element, *element.iterancestors()):
        style = current.get("style")
        if style and _BACKGROUND.search(style):
            colour = _colours(style)[1]
        elif stated := current.get("bgcolor"):
            colour = _colour(stated)
        else:
            continue
        if colour != _CLEAR:
            return colour
    return "" if styled else _WHITE


def _is_colourless(element: HtmlElement, *, styled: bool) -> bool:
    ink = _ink(element)
    return ink == _CLEAR or (bool(ink) and ink == _paper(element, styled=styled))


def _has_colour(element: HtmlElement) -> bool:
    return bool(_ink(element)) or _BACKGROUND.search(element.get("style") or "") is not None


def _blank(element: HtmlElement, speaks_again: Callable[[HtmlElement], bool]) -> None:
    """Empty the text below an element, except where a descendant gives itself again what the element lacks."""
    waiting = [element]
    while waiting:
        current = waiting.pop()
        current.text = None
        for child in current:
            child.tail = None
            if not speaks_again(child):
                waiting.append(child)
