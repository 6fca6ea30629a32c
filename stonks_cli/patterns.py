"""`stonks patterns`: what happened after such news about a company before."""

from datetime import datetime
from typing import Annotated

import typer

from stonks_cli.books import LIVE
from stonks_cli.registry.book import AsOf, Book, Json, opened, present
from stonks_cli.root import OUT, guarded, print_json, print_table
from stonks_core.patterns.asking import plain, responses_before
from stonks_core.patterns.rules import pattern_rules
from stonks_core.registry.universe import load_universe
from stonks_core.vocabulary import Catalyst

PATTERNS = {
    "catalyst": "after news of", "responder": "company", "relationship": "is its", "samples": "samples",
    "mean_response": "mean response", "consistency": "consistency", "confidence": "confidence",
}  # fmt: skip
SAMPLES = {
    "published": "told (UTC)", "catalyst": "news of", "responder": "company", "base_day": "from the close of",
    "end_day": "to that of", "response": "response", "document_id": "document",
}  # fmt: skip


@guarded
def patterns(
    ticker: str,
    *,
    catalyst: Annotated[Catalyst | None, typer.Option(help="Only after news of this kind, with every sample.")] = None,
    as_of: AsOf = None,
    book: Book = LIVE,
    as_json: Json = False,
) -> None:
    """What happened after such news about a company before: to its shares, and to those of its competitors.

    A response is the abnormal return over five sessions. Confidence is 0 where the samples are too few for a pattern.
    """
    at: datetime = present(as_of)
    company = ticker.upper()
    with opened(book) as stores:
        universe, rules = load_universe(stores.database, at), pattern_rules(stores.settings.signals)
        found = responses_before(stores.lake, universe, rules, company, at, [catalyst] if catalyst else ())
    rows = [plain(response) for response in found]
    if as_json:
        print_json({"ticker": company, "as_of": at, "items": rows})
        return
    if not rows:
        OUT.print(f"no news about {company} has a response of five sessions behind it at {at:%Y-%m-%d %H:%M} UTC")
        return
    print_table(
        f"After news about {company}",
        [{**row, "mean_response": _percent(row["mean_response"])} for row in rows],
        PATTERNS,
    )
    if catalyst:
        told = [{**row, **sample, "published": f"{sample['published_at']:%Y-%m-%d %H:%M}", "response": _percent(sample["response"])}
                for row in rows for sample in row["stories"]]  # fmt: skip
        print_table("Each time", told, SAMPLES)


def _percent(response: float) -> str:
    return f"{response:+.2%}"
