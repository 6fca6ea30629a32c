"""Which passages of a page are its article: a library's word first, corrected by what its passages show.

Pure. trafilatura (precision before recall) marks passages. Then gaps between marked passages are filled where prose
stands in the article's own container, ends are extended by sibling paragraphs, tails of links are cut, and a
container of our own choice speaks where the library found next to nothing.
"""

import re
from collections import Counter
from collections.abc import Sequence
from copy import deepcopy

import trafilatura
from lxml.html import HtmlElement

from stonks_assets.parsing.passages import Passage, is_furniture, word_list

SHINGLE = 3
COVERED = 0.7  # of a passage's shingles that stand in the library's text, from which the passage counts as marked
LEAST_BODY = 0.5  # of the chosen words that stand before anything may be cut off as a tail
LINKED_TAIL = 0.3  # of the words from an announcement on that are links, where teasers follow
FAR_TOO_SHORT = 0.35  # the library's words against those of the best container
_PROSE_TAGS = frozenset({"p", "blockquote", "pre", "dd", "li", "div", "section", "article", "td", "font", "center"})
_PARAGRAPHS = frozenset({"p", "blockquote", "li"})
_HEADINGS = frozenset({"h2", "h3", "h4", "h5", "h6"})
_ANNOUNCES = re.compile(
    r"(?:related|recommended|more (?:from|on|stories|news)|read (?:more|next|also)|most (?:read|popular)|you (?:may|might) also"
    r"|also (?:read|on)|trending|top stories|comments?\b|leave a (?:reply|comment)|share this"
    r"|popular (?:stories|posts)|latest (?:news|stories)|don['’]t miss|what to read next|sign up|newsletter|about the author)",
    re.IGNORECASE,
)
_ASKS = re.compile(
    r"sign up (?:for|to)|subscribe (?:to|now|today)|newsletter|follow (?:us|me|him|her|them)\b|follow @|like us on"
    r"|all rights reserved|©|\(c\) \d{4}|copyright \d{4}|click here|share this|join the conversation"
    r"|leave a comment|download (?:the|our) app"
    r"|terms of (?:use|service)|privacy policy|^read (?:more|next|also)\b|^(?:photo|image)s? (?:by|credit|courtesy)",
    re.IGNORECASE,
)
_ENDS = (".", "!", "?", "”", '"', "’", "'", ":", "…", ")", "。", "！", "？", "」")


def article_passages(tree: HtmlElement, shown: Sequence[Passage]) -> list[Passage]:
    """Those of the shown passages that are the page's article, in order; none where the page shows no prose."""
    marked = _marked(shown, _library_text(tree))
    chosen = _chosen(shown, marked)
    best = _best_container(shown)
    if sum(len(p.words) for p in chosen) < FAR_TOO_SHORT * sum(len(p.words) for p in best):
        return best
    return chosen


def _library_text(tree: HtmlElement) -> str:
    """What trafilatura takes for the main text; empty where it finds none."""
    return (
        trafilatura.extract(
            deepcopy(tree), favor_precision=True, include_comments=False, include_tables=True, output_format="txt"
        )
        or ""
    )


def _shingles(words: Sequence[str]) -> list[tuple[str, ...]]:
    size = min(SHINGLE, len(words))
    return [tuple(words[i : i + size]) for i in range(len(words) - size + 1)] if size else []


def _marked(shown: Sequence[Passage], text: str) -> list[bool]:
    """Which passages the text holds. Short ones count only as a line of their own."""
    known = set(_shingles(word_list(text)))
    lines = {word_list(line) for line in text.split("\n")}
    marks = []
    for passage in shown:
        own = _shingles(passage.words)
        if len(passage.words) <= SHINGLE + 1:
            marks.append(bool(own) and passage.words in lines)
        else:
            marks.append(sum(shingle in known for shingle in own) >= COVERED * len(own))
    return marks


def _chosen(shown: Sequence[Passage], marked: Sequence[bool]) -> list[Passage]:
    core = [i for i, passage in enumerate(shown) if marked[i] and len(passage.words) > SHINGLE + 1]
    if not core:
        return []
    home = _home(shown, core)
    held = set(home.iter())
    inside = {i for i in range(len(shown)) if shown[i].element in held}
    core = [i for i in core if i in inside] or core
    first, last = core[0], core[-1]
    keep = {i for i in range(len(shown)) if marked[i] and first - 2 <= i <= last + 1}
    keep |= {i for i in range(first, last) if i in inside and i not in keep and _fills(shown[i], home)}
    keep |= _ends(shown, keep, inside, home)
    return [shown[i] for i in _without_tail(shown, sorted(keep))]


def _home(shown: Sequence[Passage], core: Sequence[int]) -> HtmlElement:
    """The innermost element that holds nine tenths of the words of the marked passages, and half of these.

    One passage of thousands of words is no home for the others.
    """
    words: Counter[HtmlElement] = Counter()
    passages: Counter[HtmlElement] = Counter()
    depth: dict[HtmlElement, int] = {}
    own: dict[HtmlElement, list[int]] = {}
    for i in core:
        own.setdefault(shown[i].element, []).append(len(shown[i].words))
    for element, lengths in own.items():
        for rank, holder in enumerate(reversed([element, *element.iterancestors()])):
            words[holder] += sum(lengths)
            passages[holder] += len(lengths)
            depth[holder] = rank
    least, half = 0.9 * max(words.values()), 0.5 * len(core)
    return max((e for e in words if words[e] >= least and passages[e] >= half), key=lambda e: depth[e])


def _fills(passage: Passage, home: HtmlElement) -> bool:
    """Whether a passage between two marked ones belongs to the article: prose or a heading, not furniture."""
    if is_furniture(passage.element, home) or passage.link_share > 0.4:
        return False
    if passage.element.tag in _HEADINGS:
        return passage.linked == 0
    return len(passage.words) >= 8 and passage.text.endswith(_ENDS)


def _extends(passage: Passage, home: HtmlElement, parents: set[HtmlElement]) -> bool:
    """Whether a passage beyond the first or last marked one belongs to the article: a paragraph among its siblings."""
    return (
        (passage.element in parents or (passage.element.getparent() in parents and passage.element.tag in _PARAGRAPHS))
        and len(passage.words) >= 12
        and passage.link_share < 0.2
        and passage.text.endswith(_ENDS)
        and not is_furniture(passage.element, home)
    )


def _ends(shown: Sequence[Passage], keep: set[int], inside: set[int], home: HtmlElement) -> set[int]:
    parents = {shown[i].element.getparent() for i in keep if shown[i].element.tag in _PARAGRAPHS}
    parents.discard(None)
    first, last = min(keep), max(keep)
    return {i for i in inside if not first <= i <= last and _extends(shown[i], home, parents)}


def _without_tail(shown: Sequence[Passage], keep: list[int]) -> list[int]:
    """Without what stands before and after the article: its own title, teasers, lines that ask for something."""
    kept = [i for i in keep if shown[i].element.tag != "h1"]
    kept = kept[: _teasers_from([shown[i] for i in kept])]
    while len(kept) > 1 and _closes_nothing(shown[kept[-1]]):
        kept.pop()
    return kept


def _teasers_from(kept: Sequence[Passage]) -> int:
    """Where the passages after the article begin: a heading that announces other articles, or two linked headings."""
    words, linked = sum(len(p.words) for p in kept), sum(p.linked for p in kept)
    teasing = [p.element.tag in _HEADINGS and p.link_share >= 0.6 for p in kept]
    start, teasers = (1 - LEAST_BODY) * words, sum(teasing)
    for i, passage in enumerate(kept):
        if words <= start:
            announced = len(passage.words) <= 8 and _ANNOUNCES.match(passage.text) is not None
            if (announced and linked >= LINKED_TAIL * words) or (teasing[i] and teasers >= 2):
                return i
        words, linked, teasers = words - len(passage.words), linked - passage.linked, teasers - teasing[i]
    return len(kept)


def _closes_nothing(passage: Passage) -> bool:
    """Whether a closing passage is a heading over nothing, a list of links, or a line that asks for something."""
    asks = len(passage.words) <= 40 and _ASKS.search(passage.text) is not None
    return passage.element.tag in _HEADINGS or passage.link_share > 0.6 or asks


def _best_container(shown: Sequence[Passage]) -> list[Passage]:
    """The prose of the element whose own paragraphs weigh most: words of prose, halved a generation further up."""
    weights: Counter[HtmlElement] = Counter()
    for passage in shown:
        if not _is_prose(passage):
            continue
        parent = passage.element.getparent() if passage.element.tag in _PARAGRAPHS else passage.element
        for rank in range(3):
            if parent is None or parent.tag == "html":
                break
            weights[parent] += len(passage.words) // (1 + rank)
            parent = parent.getparent()
    if not weights:
        return []
    home = max(weights, key=lambda element: weights[element])
    below = set(home.iter())
    held = [p for p in shown if p.element in below]
    return [p for p in held if _is_prose(p) or (p.element.tag in _HEADINGS and not is_furniture(p.element, home))]


def _is_prose(passage: Passage) -> bool:
    return (
        passage.element.tag in _PROSE_TAGS
        and len(passage.words) >= 8
        and passage.link_share < 0.4
        and not is_furniture(passage.element, None)
    )
