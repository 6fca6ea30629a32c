"""What a recommendation would have been without some documents: score, action, mode and size, before and after.

The documents' signals of every layer are taken away, those about the company, those of macro events, and those that came
over from competitors; stories that they told first are told by the next copy, and later news is as new as it would have
been. The scores that the projection rests on are taken anew as well. Past responses by which news of competitors is judged
are held as they were; where that concerns the documents, the notes say so.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds

from stonks_assets.aggregation.projection_rows import projection_row, score_history
from stonks_assets.aggregation.provenance import read_provenance
from stonks_assets.aggregation.removing import Remaining, Successor, without
from stonks_assets.aggregation.trend_rows import known_signals
from stonks_assets.aggregation.trends import aggregate
from stonks_assets.aggregation.weights import LayerWeights
from stonks_assets.aggregation.windows import SHAPES
from stonks_assets.recommendation import rules
from stonks_assets.recommendation.speaking import judged
from stonks_audit.held import held_patterns
from stonks_audit.recompute import recompute
from stonks_audit.sizes import Size, Sizes, sizes
from stonks_audit.stored import Basis, Stored, basis, stored
from stonks_core.errors import BadInputError, NotFoundError
from stonks_core.prices.reading import LakeReader
from stonks_core.settings import Settings
from stonks_core.stores.lake.gold_tables import TREND_HISTORY, TREND_PROJECTIONS
from stonks_core.stores.lake.lake import Lake
from stonks_core.stores.lake.pinned import PinnedLake
from stonks_core.stores.lake.silver_tables import DOCUMENTS
from stonks_core.stores.lake.tables import UTC_MICROS
from stonks_core.stores.postgres import Database
from stonks_core.vocabulary import Action, Layer, Mode
from stonks_core.why.lookup import Row, document_day, first_row
from stonks_core.why.order import plain
from stonks_trading.records import Recommendation

MOST_DOCUMENTS = 50
_MARKET = ("window_return", "volume_ratio", "volatility", "reference_price", "degraded", "input_versions")


@dataclass(frozen=True)
class Said:
    """A recommendation's figures; `confidence` is after the projection's objection."""

    direction: str
    score: float
    strength: float
    confidence: float
    contradiction: float
    signals_counted: int
    projected_score: float | None
    action: str
    mode: str
    risk_class: str
    suppression: str


@dataclass(frozen=True)
class Counterfactual:
    """Before and after; `after` is None where nothing would have counted, so that nothing would have been said."""

    recommendation_id: str
    ticker: str
    window: str
    as_of: datetime
    without: tuple[str, ...]
    removed_signals: int
    successors: tuple[Successor, ...]
    before: Said
    after: Said | None
    size_basis: str
    size_name: str
    size_before: Size
    size_after: Size
    notes: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """For JSON; money and shares as numbers."""
        said: dict[str, Any] = plain(asdict(self))
        return said


def counterfactual(
    database: Database,
    lake: Lake,
    settings: Settings,
    name: str,
    documents: Sequence[str],
    now: datetime,
    *,
    whole_story: bool = False,
) -> Counterfactual:
    """A recommendation (by id or an unambiguous beginning) without some documents; with `whole_story` their copies go too.

    `now` is the present, for sizes that no decision recorded. Raises NotFoundError for an unknown recommendation or
    document, BadInputError where no document is named.
    """
    found = stored(lake, name)
    wanted = _known(lake, documents)
    on_record = basis(found, settings)
    reader, notes = _reader(database, lake, settings, found, on_record)
    signals = known_signals(reader, found.as_of, tickers=[found.ticker], columns=None)
    left = without(signals, _marked(signals, wanted, whole_story=whole_story))
    notes += [*_remarks(signals, wanted, left, found), *held_patterns(lake, wanted, left.signals)]
    projected = on_record.of_recommendation.projected_score
    if on_record.of_recommendation.projection_threshold is None:
        projected = _projected(score_history(reader, found.as_of, _key(found)).get(_key(found), ()), found, on_record)
    before = _said(found.trend, projected)
    trend = _trend(left.signals, found, on_record)
    after = (
        None if trend is None else _said(trend, _projected(_scores(reader, left, found, on_record), found, on_record))
    )
    sized = _sizes(database, lake, settings, found, after, now)
    return Counterfactual(
        recommendation_id=found.recommendation["recommendation_id"],
        ticker=found.ticker,
        window=str(found.window),
        as_of=found.as_of,
        without=tuple(wanted),
        removed_signals=left.removed.num_rows,
        successors=left.successors,
        before=before,
        after=after,
        size_basis=sized.basis,
        size_name=sized.name,
        size_before=sized.before,
        size_after=sized.after,
        notes=(*on_record.notes, *notes),
    )


def _key(found: Stored) -> tuple[str, str]:
    return found.ticker, str(found.window)


def _known(lake: Lake, documents: Sequence[str]) -> list[str]:
    wanted = list(dict.fromkeys(name.strip() for name in documents if name.strip()))
    if not wanted:
        raise BadInputError("no document was named: give the ids of those to leave out")
    if len(wanted) > MOST_DOCUMENTS:
        raise BadInputError(f"{len(wanted)} documents were named, and {MOST_DOCUMENTS} may be left out at once")
    for name in wanted:
        day = document_day(name)
        if first_row(lake, DOCUMENTS, "document_id", name, day, day) is None:
            raise NotFoundError(f"there is no document {name!r} in the lake's day {day}")
    return wanted


def _reader(
    database: Database, lake: Lake, settings: Settings, found: Stored, on_record: Basis
) -> tuple[LakeReader, list[str]]:
    """The reading of the inputs that gives what is stored, so that nothing but the documents makes the difference."""
    done = recompute(database, lake, settings, found.recommendation["recommendation_id"])
    if done.by_knowledge.equal:
        return lake, []
    if done.by_versions.equal:
        return PinnedLake(lake, on_record.of_trend.tables), []
    sentence = (
        "as the inputs stand now the recommendation itself comes out otherwise; a part of what changes below is that"
    )
    return lake, [sentence]


def _marked(signals: pa.Table, documents: Sequence[str], *, whole_story: bool) -> Any:
    gone = pc.is_in(signals["document_id"], value_set=pa.array(documents, pa.string()))
    if whole_story:
        clusters = signals.filter(gone)["cluster_id"].unique()
        gone = pc.or_(gone, pc.is_in(signals["cluster_id"], value_set=clusters.cast(pa.string())))
    return gone.to_numpy()


def _remarks(signals: pa.Table, wanted: Sequence[str], left: Remaining, found: Stored) -> list[str]:
    there = set(signals["document_id"].to_pylist())
    said = [
        f"document {name} had no signal of {found.ticker} by {found.as_of:%Y-%m-%d %H:%M} UTC: none is taken away"
        for name in wanted
        if name not in there
    ]
    said += [
        f"document {one.removed} told its story first; the copy {one.document_id} takes its place ({one.layer} layer)"
        for one in left.successors
    ]
    if left.newer:
        said.append(f"{left.newer} later signals would have been newer than they were")
    if pc.any(pc.equal(left.signals["layer"], str(Layer.COMPETITIVE))).as_py():
        said.append("what the competitive layer's patterns were learnt from is held as it was")
    return said


def _trend(signals: pa.Table, found: Stored, on_record: Basis) -> Row | None:
    since = on_record.calendar.previous_close(found.as_of)
    trends, _ = aggregate(signals, found.as_of, on_record.weights, since, windows=(found.window,))
    rows = trends.to_pylist()
    return {**{name: found.trend[name] for name in _MARKET}, **rows[0]} if rows else None


def _said(trend: Row, projected: float | None) -> Said:
    verdict = rules.judge(judged(trend, projected))
    return Said(
        **{name: trend[name] for name in ("direction", "score", "strength", "contradiction", "signals_counted")},
        confidence=verdict.confidence,
        projected_score=projected,
        action=str(verdict.action),
        mode=str(verdict.mode),
        risk_class=str(verdict.risk_class),
        suppression=verdict.suppression,
    )


def _projected(points: Sequence[tuple[datetime, float]], found: Stored, on_record: Basis) -> float | None:
    unread = TREND_PROJECTIONS.name in on_record.of_recommendation.unread
    if unread or not points or max(points)[0] != found.as_of:
        return None
    row = projection_row(_key(found), points, on_record.calendar, on_record.projection_threshold)
    return None if row is None else float(row["projected_score"])


def _scores(reader: LakeReader, left: Remaining, found: Stored, on_record: Basis) -> list[tuple[datetime, float]]:
    """The trend's scores up to its instant, taken anew wherever what was removed had counted."""
    points = score_history(reader, found.as_of, _key(found)).get(_key(found), ())
    weights = _weights_of_the_time(reader, points, found)
    told = [*zip(left.removed["available_at"].to_pylist(), left.removed["published_at"].to_pylist(), strict=True)]
    scores = []
    for at, score in points:
        since = on_record.calendar.previous_close(at)
        begin = SHAPES[found.window].since(at, since)
        if not any(known <= at and begin < published <= at for known, published in told):
            scores.append((at, score))
            continue
        heard = left.signals.filter(pc.less_equal(left.signals["available_at"], pa.scalar(at, UTC_MICROS)))
        trends, _ = aggregate(heard, at, weights.get(at) or on_record.weights, since, windows=(found.window,))
        scores += [(at, float(row["score"])) for row in trends.to_pylist()]
    return scores


def _weights_of_the_time(
    reader: LakeReader, points: Sequence[tuple[datetime, float]], found: Stored
) -> Mapping[datetime, LayerWeights | None]:
    if not points:
        return {}
    mine = (ds.field("ticker") == found.ticker) & (ds.field("window") == str(found.window))
    rows = reader.read(
        TREND_HISTORY,
        days=(min(points)[0].date() - timedelta(days=1), found.as_of.date()),
        as_of=found.as_of,
        columns=("ticker", "window", "as_of", "input_versions"),
        where=mine,
    )
    return {row["as_of"]: read_provenance(row["input_versions"]).weights for row in rows.to_pylist()}


def _sizes(
    database: Database, lake: Lake, settings: Settings, found: Stored, after: Said | None, now: datetime
) -> Sizes:
    given = found.recommendation
    price = given["reference_price"]
    before = Recommendation(
        recommendation_id=given["recommendation_id"],
        ticker=found.ticker,
        window=found.window,
        action=Action(given["action"]),
        mode=Mode(given["mode"]),
        strength=given["strength"],
        confidence=given["confidence"],
        as_of=found.as_of,
        expires_at=given["expires_at"],
        reference_price=None if price is None else Decimal(str(price)),
    )
    return sizes(database, lake, settings, before, _instead(before, after), now)


def _instead(before: Recommendation, after: Said | None) -> Recommendation | None:
    if after is None:
        return None
    return replace(
        before,
        action=Action(after.action),
        mode=Mode(after.mode),
        strength=after.strength,
        confidence=after.confidence,
    )
