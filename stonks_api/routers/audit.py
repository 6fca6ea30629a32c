"""Proofs and what-ifs about one recommendation: computed again from its inputs, and without some documents."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query

from stonks_api.context import Ctx
from stonks_api.wire import Money, Real, Shown
from stonks_audit.counterfactual import MOST_DOCUMENTS, counterfactual
from stonks_audit.recompute import recompute

router = APIRouter(prefix="/api/recommendations", tags=["recommendations"])
Documents = Annotated[
    list[str],
    Query(min_length=1, max_length=MOST_DOCUMENTS, description="id of a document to leave out; repeat for several"),
]
MOST_DIFFERENCES = 500


class Difference(Shown):
    """A column that came out otherwise; an empty column is a whole row that is missing on one side."""

    table: str
    row: str
    column: str
    stored: Any
    again: Any


class Reading(Shown):
    """One way of reading the inputs; `gone` says why there was nothing to read. At most 500 differences are listed."""

    name: str
    equal: bool
    sha256: str
    gone: str
    differences: list[Difference]


class Recomputed(Shown):
    """A recommendation computed again; `equal` when one of the readings gives the stored bytes."""

    recommendation_id: str
    ticker: str
    window: str
    as_of: datetime
    equal: bool
    stored_sha256: str
    by_knowledge: Reading
    by_versions: Reading
    notes: list[str]


class Said(Shown):
    """What a recommendation says."""

    action: str
    mode: str
    direction: str
    score: Real
    strength: Real
    confidence: Real
    contradiction: Real
    signals_counted: int
    projected_score: Real
    risk_class: str
    suppression: str


class Size(Shown):
    """Dollars to buy or shares to sell; neither where nothing would have been ordered."""

    sentence: str
    dollars: Money | None
    shares: Money | None


class Successor(Shown):
    """A story whose first teller was left out, and the copy that tells it then."""

    layer: str
    cluster_id: str
    removed: str
    document_id: str


class Counterfactual(Shown):
    """A recommendation before and after documents are left out; `after` is null where nothing would have been said.

    Sizes rest on the engine's own decision (`size_basis` decision), else on today's portfolio.
    """

    recommendation_id: str
    ticker: str
    window: str
    as_of: datetime
    without: list[str]
    removed_signals: int
    successors: list[Successor]
    before: Said
    after: Said | None
    size_basis: str
    size_name: str
    size_before: Size
    size_after: Size
    notes: list[str]


@router.get("/{recommendation_id}/recomputed")
def get_recomputed(ctx: Ctx, recommendation_id: str) -> Recomputed:
    """The recommendation and its trend, computed again from the recorded inputs and compared byte for byte."""
    said = recompute(ctx.database, ctx.lake, ctx.settings, recommendation_id).as_dict()
    for name in ("by_knowledge", "by_versions"):
        said[name]["differences"] = list(said[name]["differences"])[:MOST_DIFFERENCES]
    return Recomputed.model_validate(said)


@router.get("/{recommendation_id}/counterfactual")
def get_counterfactual(
    ctx: Ctx, recommendation_id: str, without: Documents, *, whole_story: bool = False
) -> Counterfactual:
    """What the recommendation and its size would have been without some documents, their copies too with `whole_story`."""
    done = counterfactual(
        ctx.database,
        ctx.lake,
        ctx.settings,
        recommendation_id,
        without,
        ctx.clock.now(),
        whole_story=whole_story,
    )
    return Counterfactual.model_validate(done.as_dict())
