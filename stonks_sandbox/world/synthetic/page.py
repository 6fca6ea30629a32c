"""The web page around an article: metadata, navigation, advertisements and the small print of its publisher."""

import json
import re
from html import escape

from stonks_sandbox.world.instants import iso_utc
from stonks_sandbox.world.synthetic.stories import Plan
from stonks_sandbox.world.synthetic.writing import Text

STYLE = (
    "body{font-family:Georgia,serif;margin:0}nav,footer,aside{background:#eee;padding:1em}"
    "article{max-width:42em;margin:auto}.ad{border:1px dashed #999;text-align:center}"
)
SECTIONS = ("Markets", "Companies", "Economy", "Opinion", "Technology", "Your Money")
ADVERTS = (
    "Trade with zero commission: open an account with Zebra Invest today!",
    "Ten shares to own for ever. Download the free report now.",
    "Sponsored: this one kitchen gadget saves hours every week.",
    "Upgrade to Premium for unlimited reading. First month free.",
)


def slug(text: str, length: int = 60) -> str:
    """Lower-case words joined by hyphens, cut at `length`."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:length].rstrip("-")


def path_of(plan: Plan, title: str) -> str:
    """Where the article lives below /web; day and document can be read off it."""
    return f"{slug(plan.publisher)}/{plan.at:%Y/%m/%d}/{slug(title)}-{plan.document_id[:10]}.html"


def render(plan: Plan, text: Text) -> str:
    """The whole page. The text itself stands in <article>, each paragraph in its own <p>."""
    title, publisher = escape(text.title), escape(plan.publisher)
    path = path_of(plan, text.title)
    published = iso_utc(plan.at)
    number = int(plan.document_id[:8], 16)
    menu = "".join(f'<li><a href="/web/{slug(name)}">{name}</a></li>' for name in SECTIONS)
    body = [f"<p>{escape(paragraph)}</p>" for paragraph in text.paragraphs]
    advert = f'<div class="ad"><span>Advertisement</span> {escape(ADVERTS[number % len(ADVERTS)])}</div>'
    body.insert(2, advert)
    byline = f'<span class="author">By {escape(text.author)}</span> ' if text.author else ""
    linked = json.dumps(
        {
            "@context": "https://schema.org",
            "@type": "NewsArticle",
            "headline": text.title,
            "datePublished": published,
            "publisher": {"@type": "Organization", "name": plan.publisher},
        }
    ).replace("<", "\\u003c")
    author = f'<meta name="author" content="{escape(text.author, quote=True)}">' if text.author else ""
    return "\n".join(
        (
            "<!DOCTYPE html>",
            '<html lang="en"><head><meta charset="utf-8">',
            f"<title>{title} | {publisher}</title>",
            f'<meta property="og:title" content="{escape(text.title, quote=True)}">',
            f'<meta property="og:site_name" content="{publisher}"><meta property="og:type" content="article">',
            f'<meta name="description" content="{escape(text.summary, quote=True)}">',
            author,
            f'<meta property="article:published_time" content="{published}">',
            f'<link rel="canonical" href="/web/{path}">',
            f'<script type="application/ld+json">{linked}</script>',
            f"<style>{STYLE}</style></head><body>",
            f'<header><a href="/web/">{publisher}</a><nav><ul>{menu}</ul></nav></header>',
            f'<main><article><h1>{title}</h1><p class="byline">{byline}',
            f'<time datetime="{published}">{plan.at:%d %B %Y, %H:%M} UTC</time></p>',
            *body,
            "</article>",
            '<aside><h2>Most read</h2><ul><li><a href="/web/markets">Five charts that explain the week</a></li>',
            '<li><a href="/web/economy">What rates mean for your savings</a></li></ul>',
            "<p>Sign up for our newsletter and never miss a story.</p></aside></main>",
            f"<footer><p>&copy; {plan.at:%Y} {publisher}. All rights reserved. Terms of use | Privacy policy",
            "| Cookie settings</p><p>This page belongs to a simulated market. Every company in it is invented.",
            "</p></footer>",
            "</body></html>",
        )
    )
