"""Which passages of a page are its article: a library's word first, corrected by what its passages show.

Pure. trafilatura (precision before recall) marks passages. Marks on comments are not believed, and of a passage that
the page shows again one copy counts. Then gaps between marked passages are filled where prose stands in the article's
own container, ends are extended by sibling paragraphs, tails of links are cut, and a container of our own choice speaks
where the library found next to nothing.
"""

import re
from collections import Counter
from collections.abc import Sequence
from copy import deepcopy

import trafilatura
from lxml.html import HtmlElement

from stonks_assets.parsing.passages import Passage, word_list

SHINGLE = 3
COVERED = 0.7  # of a passage's shingles that stand in the library's text, from which the passage counts as marked
LEAST_BODY = 0.5  # of the chosen words that stand before anything may be cut off as a tail
LINKED_TAIL = 0.3  # of the words from an announcement on that are links, where teasers follow
REPEATED = 8  # words from which a passage shown again is a copy; shorter ones are said twice in good faith
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
        if _is_short(passage):
            marks.append(bool(own) and passage.words in lines)
        else:
            marks.append(sum(shingle in known for shingle in own) >= COVERED * len(own))
    return marks


def _chosen(shown: Sequence[Passage], marked: Sequence[bool]) -> list[Passage]:
    marks = [i for i in range(len(shown)) if marked[i]]
    long = _one_copy_each(shown, [i for i in marks if not _is_short(shown[i])])
    if not long:
        return []
    holders = _holders(_home(shown, long))
    long = [i for i in long if shown[i].comments is None or shown[i].comments in holders] or long
    long = _without_furniture(shown, long, holders)
    home = _home(shown, long)
    parts, holders = _parts(home), _holders(home)
    held = {element for part in parts for element in part.iter()}
    inside = {i for i in range(len(shown)) if shown[i].element in held}
    core = [i for i in long if i in inside]
    first, last = core[0], core[-1]
    keep = {*core, *(i for i in marks if first - 2 <= i <= last + 1 and _is_short(shown[i]))}
    own = {i for i in inside if _is_of(shown[i], holders)}
    keep |= _ends(shown, keep, own, parts)
    keep |= {i for i in range(min(keep), max(keep)) if i in own and i not in keep and _fills(shown[i])}
    return [shown[i] for i in _without_tail(shown, sorted(keep))]


def _without_furniture(shown: Sequence[Passage], core: list[int], holders: set[HtmlElement]) -> list[int]:
    """The marked passages that stand in no furniture, where these say most of the words.

    Otherwise the library is believed against the names: sites call what holds their articles anything.
    """
    plain = [i for i in core if _is_of(shown[i], holders)]
    if 2 * sum(len(shown[i].words) for i in plain) < sum(len(shown[i].words) for i in core):
        return core
    return plain


def _parts(home: HtmlElement) -> list[HtmlElement]:
    """The containers of an article that stands in several of one name, as advertisements split it; mostly one."""
    whole, name = next(home.iterancestors("article"), None), home.get("class")
    return [home] if whole is None or not name else [e for e in whole.iter(home.tag) if e.get("class") == name]


def _holders(home: HtmlElement) -> set[HtmlElement]:
    """The elements around an article, the innermost too: their names say nothing of its parts."""
    return {home, *home.iterancestors()}


def _is_of(passage: Passage, holders: set[HtmlElement]) -> bool:
    """Whether no furniture stands between a passage and the elements that hold the article."""
    return passage.furniture is None or passage.furniture in holders


def _is_short(passage: Passage) -> bool:
    """Whether a passage has too few words for their order to tell where it comes from."""
    return len(passage.words) <= SHINGLE + 1


def _one_copy_each(shown: Sequence[Passage], core: Sequence[int]) -> list[int]:
    """The marked passages less those that say what another one says; of copies, the one in the fullest company counts.

    Pages show a first paragraph again as a summary, or the whole article for another width of screen. A copy between
    the passages that count may come back as a gap that is filled.
    """
    company: Counter[HtmlElement | None] = Counter()
    for i in core:
        company[shown[i].element.getparent()] += len(shown[i].words)
    best: dict[tuple[str, ...], int] = {}
    for i in core:
        words, parent = shown[i].words, shown[i].element.getparent()
        if words not in best or company[parent] > company[shown[best[words]].element.getparent()]:
            best[words] = i
    return [i for i in core if best[shown[i].words] == i or len(shown[i].words) < REPEATED]


def _home(shown: Sequence[Passage], core: Sequence[int]) -> HtmlElement:
    """The innermost element that holds nine tenths of the words of the marked passages, and half of these.

    One passage of thousands of words is no home for the others, nor is a paragraph whose lines are broken.
    """
    words: Counter[HtmlElement] = Counter()
    passages: Counter[HtmlElement] = Counter()
    for i in core:
        words[shown[i].element] += len(shown[i].words)
        passages[shown[i].element] += 1
    least, half = 0.9 * words.total(), 0.5 * len(core)
    elements = list(shown[core[0]].element.getroottree().iter())
    for element in reversed(elements):  # innermost first, so that each knows what it holds before it is asked
        if words[element] >= least and passages[element] >= half and element.tag not in _PARAGRAPHS:
            return element
        if words[element] and (parent := element.getparent()) is not None:
            words[parent] += words[element]
            passages[parent] += passages[element]
    return elements[0]


def _fills(passage: Passage) -> bool:
    """Whether a passage between two marked ones belongs to the article: prose, a heading, a table row."""
    if passage.link_share > 0.4:
        return False
    if passage.element.tag in _HEADINGS:
        return passage.linked == 0
    if passage.element.tag == "tr":
        return True
    return len(passage.words) >= 8 and passage.text.endswith(_ENDS)


def _extends(passage: Passage, parents: set[HtmlElement]) -> bool:
    """Whether a passage beyond the first or last marked one belongs to the article: a paragraph among its siblings."""
    return (
        (passage.element in parents or (passage.element.getparent() in parents and passage.element.tag in _PARAGRAPHS))
        and len(passage.words) >= 12
        and passage.link_share < 0.2
        and passage.text.endswith(_ENDS)
    )


def _ends(shown: Sequence[Passage], keep: set[int], own: set[int], parts: Sequence[HtmlElement]) -> set[int]:
    parents = {shown[i].element.getparent() for i in keep if shown[i].element.tag in _PARAGRAPHS}
    parents.discard(None)
    parents.update(parts)
    first, last = min(keep), max(keep)
    return {i for i in own if not first <= i <= last and _extends(shown[i], parents)}


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
    below, holders = set(home.iter()), _holders(home)
    held = [p for p in shown if p.element in below]
    return [p for p in held if _is_prose(p) or (p.element.tag in _HEADINGS and _is_of(p, holders))]


def _is_prose(passage: Passage) -> bool:
    return (
        passage.element.tag in _PROSE_TAGS
        and len(passage.words) >= 8
        and passage.link_share < 0.4
        and passage.furniture is None
    )
