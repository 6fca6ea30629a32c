"""A recommendation as it is stored, with everything below it down to the trend's evidence."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime

import pyarrow as pa
import pyarrow.dataset as ds

from stonks_assets.aggregation.provenance import Provenance, read_provenance
from stonks_assets.aggregation.weights import LayerWeights
from stonks_core.calendar import MarketCalendar
from stonks_core.errors import NotFoundError, TransientError
from stonks_core.prices.reading import LakeReader
from stonks_core.settings import Settings
from stonks_core.stores.lake.gold_tables import RECOMMENDATION_EVIDENCE, TREND_EVIDENCE, TREND_HISTORY
from stonks_core.stores.lake.lake import Lake
from stonks_core.stores.lake.tables import LakeTable
from stonks_core.vocabulary import Window
from stonks_core.why.lookup import Row, first_row
from stonks_core.why.recommendation import find_recommendation


@dataclass(frozen=True)
class Stored:
    """The rows of a recommendation, its trend and both their evidence, best first."""

    recommendation: Row
    evidence: Sequence[Row]
    trend: Row
    trend_evidence: Sequence[Row]

    @property
    def as_of(self) -> datetime:
        """The instant that all of it was computed for."""
        at: datetime = self.trend["as_of"]
        return at

    @property
    def ticker(self) -> str:
        """The company."""
        return str(self.trend["ticker"])

    @property
    def window(self) -> Window:
        """The window."""
        return Window(self.trend["window"])


@dataclass(frozen=True)
class Basis:
    """What was set when a recommendation was computed; `notes` tell what is not on record and was taken from today."""

    of_trend: Provenance
    of_recommendation: Provenance
    weights: LayerWeights
    calendar: MarketCalendar
    projection_threshold: float
    notes: tuple[str, ...]


class Without:
    """Reads like the reader given, but for some tables, which cannot be read, as when the rows on record were made."""

    def __init__(self, lake: LakeReader, unread: Collection[str]) -> None:
        self._lake, self._unread = lake, frozenset(unread)

    def read(
        self,
        table: LakeTable,
        *,
        days: tuple[date, date] | None = None,
        as_of: datetime | None = None,
        columns: Sequence[str] | None = None,
        where: ds.Expression | None = None,
    ) -> pa.Table:
        """See `LakeReader.read`. Raises TransientError for a table that could not be read then."""
        if table.name in self._unread:
            raise TransientError(f"lake table {table.name} could not be read when this was made")
        return self._lake.read(table, days=days, as_of=as_of, columns=columns, where=where)


def stored(lake: Lake, name: str) -> Stored:
    """A recommendation by its id or an unambiguous beginning.

    Raises NotFoundError where there is none, or where its trend is no longer in the lake's history.
    """
    recommendation = find_recommendation(lake, name)
    day, trend_id = recommendation["as_of"].date(), recommendation["trend_id"]
    trend = first_row(lake, TREND_HISTORY, "trend_id", trend_id, day, day)
    if trend is None:
        raise NotFoundError(
            f"trend {trend_id} of recommendation {recommendation['recommendation_id']} is not in the lake's history of {day}"
        )

    def ranked(table: LakeTable, key: str, value: str) -> list[Row]:
        rows: list[Row] = lake.read(table, days=(day, day), where=ds.field(key) == value).to_pylist()
        return sorted(rows, key=lambda row: int(row["rank"]))

    return Stored(
        recommendation=recommendation,
        evidence=ranked(RECOMMENDATION_EVIDENCE, "recommendation_id", recommendation["recommendation_id"]),
        trend=trend,
        trend_evidence=ranked(TREND_EVIDENCE, "trend_id", trend_id),
    )


def basis(found: Stored, settings: Settings) -> Basis:
    """The settings on record, and today's where a row is older than the record of them."""
    of_trend = read_provenance(found.trend["input_versions"])
    of_recommendation = read_provenance(found.recommendation["input_versions"])
    signals, notes = settings.signals, []
    weights, threshold = of_trend.weights, of_recommendation.projection_threshold
    if weights is None:
        notes.append("the layers' weights were not recorded with it; those of today's settings are taken")
        weights = LayerWeights.of(signals, macro_on=signals.macro_enabled, competitive_on=signals.competitive_enabled)
    if threshold is None:
        notes.append("the projections' threshold was not recorded with it; that of today's settings is taken")
        threshold = signals.projection_confidence_threshold
    calendar = of_trend.calendar or settings.calendar_name
    return Basis(of_trend, of_recommendation, weights, MarketCalendar(calendar), threshold, tuple(notes))
