"""The words of articles: a title, a summary and paragraphs for each planned document."""

import json
import random
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from stonks_core.vocabulary import Catalyst
from stonks_sandbox.world.synthetic import macro
from stonks_sandbox.world.synthetic.events import EventKind
from stonks_sandbox.world.synthetic.facts import Facts
from stonks_sandbox.world.synthetic.stories import Plan, Role

PROSE = Path(__file__).with_name("prose.json")
REPORTERS = ("Ada Renfield", "Milo Sturgess", "Priya Castellan", "Otto Hale", "Greta Lindgren", "Samuel Oyewole", "")


@dataclass(frozen=True)
class Text:
    """What an article says, before it becomes a page."""

    title: str
    author: str
    summary: str
    paragraphs: tuple[str, ...]
    keywords: tuple[str, ...]


@cache
def prose() -> dict[str, Any]:
    """The template catalogue: `stories` by catalyst and sign, `general` pieces, `rewrites` of syndication."""
    loaded: dict[str, Any] = json.loads(PROSE.read_text(encoding="utf-8"))
    return loaded


def _sign(claimed: int) -> str:
    return "+" if claimed > 0 else "-"


def story_key(facts: Facts) -> str:
    """The catalogue's key of an event, such as `guidance_cut-`."""
    return f"{facts.event.catalyst}{_sign(facts.event.claimed)}"


def report(facts: Facts, pick: random.Random) -> Text:
    """The first report of a company event; the words depend on the event's own stream alone."""
    entry, general = prose()["stories"][story_key(facts)], prose()["general"]
    words = dict(facts.words)
    listed = f"{words['name']} ({words['venue']}: {words['ticker']})"
    words["name_t"] = listed if pick.random() < 0.6 else words["name"]
    which = pick.randrange(len(entry["leads"]))
    title = entry["titles"][3 if which == 0 and pick.random() < 0.4 else which]
    pieces = [entry["leads"][which]] + [pick.choice(group) for group in entry["groups"]]
    if pick.random() < 0.45:
        pieces.insert(2, pick.choice(general["context"]))
    tone = "0" if facts.event.catalyst is Catalyst.OTHER else _sign(facts.event.claimed)
    pieces.append(pick.choice(general[f"industry{tone}"]))
    pieces.append(pick.choice(general["background"]))
    pieces.append(pick.choice(general["outlook"]))
    pieces.append(pick.choice(general["closing"]))
    paragraphs = tuple(piece.format_map(words) for piece in pieces)
    return Text(
        title=title.format_map(words),
        author=pick.choice(REPORTERS),
        summary=paragraphs[0],
        paragraphs=(f"{words['city'].upper()} - {paragraphs[0]}", *paragraphs[1:]),
        keywords=(words["sector_l"], facts.event.catalyst.replace("_", " ")),
    )


def macro_report(facts: Facts, pick: random.Random) -> Text:
    """The first report of a macro event; it names regions, sectors and goods, and no company."""
    if facts.event.theme is None:
        raise ValueError(f"{facts.event.event_id} has no macro theme")
    theme = macro.themes()[facts.event.theme]
    paragraphs = [pick.choice(variants).format_map(facts.words) for variants in theme.paragraphs]
    paragraphs.append(
        pick.choice(
            (
                "Markets are expected to digest the news over the coming days, and governments were quick to comment.",
                "Investors will watch the next figures closely for signs of how lasting the effect is.",
                "Companies have not yet changed their plans, but several said they were studying the consequences.",
            )
        )
    )
    return Text(
        title=pick.choice(theme.titles).format_map(facts.words),
        author=pick.choice(REPORTERS),
        summary=paragraphs[0],
        paragraphs=tuple(paragraphs),
        keywords=theme.keywords,
    )


def rewritten(original: Text, pick: random.Random, publisher: str) -> Text:
    """A syndicated copy: a few words exchanged, the byline changed, perhaps the end cut."""
    pairs = pick.sample(prose()["rewrites"], k=3)
    paragraphs = list(original.paragraphs)
    for old, new in pairs:
        paragraphs = [re.sub(rf"\b{old}\b", new, text, count=1) if '"' not in text else text for text in paragraphs]
    if len(paragraphs) > 4 and pick.random() < 0.5:
        paragraphs.pop()
    if pick.random() < 0.5:
        paragraphs[0] = f"({publisher}) - {paragraphs[0]}"
    title = original.title if pick.random() < 0.6 else f"{original.title} - {publisher}"
    return Text(title, pick.choice(REPORTERS), original.summary, tuple(paragraphs), original.keywords)


def _assembled(facts: Facts, pick: random.Random, title: str, *groups: str) -> Text:
    general, words = prose()["general"], dict(facts.words)
    words["name_t"] = f"{words['name']} ({words['venue']}: {words['ticker']})"
    words["hope"] = pick.choice(general["hope"]).format_map(words)
    words["fear"] = pick.choice(general["fear"]).format_map(words)
    paragraphs = tuple(pick.choice(general[group]).format_map(words) for group in groups)
    headline = pick.choice(general[title]).format_map(words)
    return Text(headline, pick.choice(REPORTERS), paragraphs[0], paragraphs, (words["sector_l"],))


def write(seed: int, plan: Plan) -> Text:
    """The text of a planned article (not of a filing)."""
    event = plan.event
    facts = Facts(seed, event)
    first = random.Random(f"{seed}/{event.event_id}/words")
    own = random.Random(f"{seed}/{event.event_id}/{plan.role}/{plan.number}")
    sign = _sign(event.claimed)
    if plan.role is Role.CONTRADICTION:
        return _assembled(
            facts, own, f"contra_titles{sign}", f"contra{sign}", f"contra{sign}body", "background", "contra_end"
        )
    if plan.role is Role.DENIAL:
        return _assembled(facts, own, "denial_titles", "denial", "denial_body", "background")
    if plan.role is Role.RUMOUR or event.kind is EventKind.FALSE_RUMOUR:
        told = _assembled(
            facts, first, f"rumour_titles{sign}", f"rumour{sign}", "rumour_body", "background", "rumour_end"
        )
        return rewritten(told, own, plan.publisher) if plan.role is Role.COPY else told
    original = macro_report(facts, first) if event.kind is EventKind.MACRO else report(facts, first)
    return rewritten(original, own, plan.publisher) if plan.role is Role.COPY else original
