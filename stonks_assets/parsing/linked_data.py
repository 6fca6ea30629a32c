"""What a page states about itself for machines: the articles of its JSON-LD. Pure.

Blocks that are not JSON are passed over, as browsers do; graphs, lists and nested `mainEntity` are looked through.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from lxml.html import HtmlElement

_ARTICLE = ("article", "posting", "report", "review")
_NESTED = ("@graph", "mainEntity", "mainEntityOfPage", "itemListElement", "hasPart")
_DEEPEST = 6


def stated_articles(tree: HtmlElement) -> Iterator[Mapping[str, Any]]:
    """The article objects of the page's JSON-LD, in order."""
    for script in tree.iter("script"):
        if (script.get("type") or "").partition(";")[0].strip().lower() != "application/ld+json" or not script.text:
            continue
        try:
            data = json.loads(_bare(script.text), strict=False)
        except (ValueError, RecursionError):
            continue
        yield from _articles(data, 0)


def article_body(tree: HtmlElement) -> str:
    """The longest `articleBody` that the page states; empty where it states none."""
    bodies = [str(article.get("articleBody") or "") for article in stated_articles(tree)]
    return max(bodies, key=len, default="")


def _bare(text: str) -> str:
    """JSON without the comment or CDATA marks that some pages put around it."""
    text = text.strip()
    for opening, closing in (
        ("<!--", "-->"),
        ("//<![CDATA[", "//]]>"),
        ("/*<![CDATA[*/", "/*]]>*/"),
        ("<![CDATA[", "]]>"),
    ):
        text = text.removeprefix(opening).removesuffix(closing).strip()
    return text.rstrip(";")


def _articles(data: object, depth: int) -> Iterator[Mapping[str, Any]]:
    if depth > _DEEPEST:
        return
    if isinstance(data, list):
        for entry in data:
            yield from _articles(entry, depth + 1)
    elif isinstance(data, dict):
        kinds = data.get("@type")
        if any(str(kind).lower().endswith(_ARTICLE) for kind in (kinds if isinstance(kinds, list) else [kinds])):
            yield data
        for name in _NESTED:
            if isinstance(data.get(name), list | dict):
                yield from _articles(data[name], depth + 1)
