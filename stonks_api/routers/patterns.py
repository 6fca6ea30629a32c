"""What happened after such news about a company before: the patterns that propagation to competitors rests on."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query

from stonks_api.context import Ctx
from stonks_api.registry.edits import AsOf, instant
from stonks_api.wire import Shown
from stonks_core.patterns.asking import plain, responses_before
from stonks_core.patterns.rules import pattern_rules
from stonks_core.registry.universe import load_universe
from stonks_core.vocabulary import Catalyst

router = APIRouter(prefix="/api/companies", tags=["companies"])


class PatternSample(Shown):
    """One earlier story and the abnormal return from the close before it to that five sessions later."""

    document_id: str
    published_at: datetime
    base_day: str
    end_day: str
    response: float


class PatternFound(Shown):
    """How a company responded to such news before; `confidence` is 0 where `enough` says that there were too few."""

    catalyst: str
    kind: str
    responder: str
    relationship: str
    samples: int
    mean_response: float
    consistency: float
    confidence: float
    enough: bool
    stories: list[PatternSample]


class CompanyPatterns(Shown):
    """What happened after news about a company, by catalyst: to itself first, then to its competitors."""

    ticker: str
    as_of: datetime
    patterns: list[PatternFound]


@router.get("/{ticker}/patterns")
def get_patterns(
    ctx: Ctx, ticker: str, catalyst: Annotated[Catalyst | None, Query()] = None, as_of: AsOf = None
) -> CompanyPatterns:
    """How the company and its competitors responded to such news before, with every sample, as known at `as_of`."""
    at, company = instant(ctx, as_of), ticker.upper()
    rules = pattern_rules(ctx.settings.signals)
    universe = load_universe(ctx.database, at)
    found = responses_before(ctx.lake, universe, rules, company, at, [catalyst] if catalyst else ())
    return CompanyPatterns.model_validate(
        {"ticker": company, "as_of": at, "patterns": [plain(response) for response in found]}
    )
