"""A stored recommendation computed again from its inputs and held against what is stored, byte for byte.

Inputs are read in two ways. By knowledge time: the rows that could have been known at the recommendation's instant, as the
tables stand now; this works for ever. And at the table versions that were recorded, for as long as those are kept; this
tells a record that was extracted late, from a document known early, from an error. Equal in one of them is equal.
The prose of a thesis that a model rewrote is its recorded answer and no computation: there only the prose is left out.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from stonks_assets.aggregation.projection_rows import projection_row, score_history
from stonks_assets.aggregation.provenance import FORMULAS
from stonks_assets.aggregation.trend_rows import known_signals, market_around, of_day, trend_rows, without_market
from stonks_assets.aggregation.trends import aggregate
from stonks_assets.aggregation.windows import SHAPES
from stonks_assets.recommendation.resolve import sentences
from stonks_assets.recommendation.speaking import (
    TEMPLATE,
    evidence_rows,
    lacking_of,
    recommendation_row,
    spoken,
    words_for,
)
from stonks_audit.stored import Basis, Stored, Without, basis, stored
from stonks_core.identifiers import sha256_text
from stonks_core.prices.reading import LakeReader
from stonks_core.registry.universe import load_universe
from stonks_core.settings import Settings
from stonks_core.stores.lake.gold_tables import (
    RECOMMENDATION_EVIDENCE,
    RECOMMENDATIONS,
    TREND_EVIDENCE,
    TREND_HISTORY,
    TREND_PROJECTIONS,
)
from stonks_core.stores.lake.lake import Lake
from stonks_core.stores.lake.pinned import PinnedLake, VersionGoneError
from stonks_core.stores.postgres import Database
from stonks_core.why.lookup import Row

KNOWLEDGE, VERSIONS = "knowledge time", "recorded versions"
Rows = Mapping[tuple[str, str], Row]
PROVENANCE = "input_versions"
"""What a row was computed from: it goes into a recomputation and does not come out of it."""


@dataclass(frozen=True)
class Difference:
    """One column that came out otherwise; `stored` or `again` is None where there is no such row."""

    table: str
    row: str
    column: str
    stored: Any
    again: Any


@dataclass(frozen=True)
class Reading:
    """One way of reading the inputs, and what came of it; `gone` says why there was nothing to read."""

    name: str
    differences: tuple[Difference, ...] = ()
    sha256: str = ""
    gone: str = ""

    @property
    def equal(self) -> bool:
        """Whether every byte came out as it is stored."""
        return not self.gone and not self.differences


@dataclass(frozen=True)
class Recomputed:
    """What came of it; hashes are of the rows' canonical bytes. `notes` are sentences for a person."""

    recommendation_id: str
    ticker: str
    window: str
    as_of: datetime
    stored_sha256: str
    by_knowledge: Reading
    by_versions: Reading
    notes: tuple[str, ...]

    @property
    def equal(self) -> bool:
        """Whether one of the readings gave the stored bytes."""
        return self.by_knowledge.equal or self.by_versions.equal

    def as_dict(self) -> dict[str, Any]:
        """For JSON; each reading with its verdict."""
        said = asdict(self) | {"equal": self.equal}
        for name in ("by_knowledge", "by_versions"):
            said[name]["equal"] = getattr(self, name).equal
        return said


def recompute(database: Database, lake: Lake, settings: Settings, name: str) -> Recomputed:
    """Compute a recommendation (by id or an unambiguous beginning) and its trend again, and compare.

    Raises NotFoundError for an unknown one, and where its trend has left the lake.
    """
    found = stored(lake, name)
    on_record = basis(found, settings)
    companies = load_universe(database, found.as_of).companies
    names = {ticker: company.legal_name for ticker, company in companies.items()}
    wanted = _stored_rows(found)
    by_knowledge = _reading(KNOWLEDGE, wanted, _again(lake, lake, found, on_record, names))
    by_versions = _at_versions(lake, wanted, found, on_record, names)
    return Recomputed(
        recommendation_id=found.recommendation["recommendation_id"],
        ticker=found.ticker,
        window=str(found.window),
        as_of=found.as_of,
        stored_sha256=sha256_text(canonical(wanted)),
        by_knowledge=by_knowledge,
        by_versions=by_versions,
        notes=(*on_record.notes, *_formulas(on_record), *_told(by_knowledge, by_versions)),
    )


def _at_versions(lake: Lake, wanted: Rows, found: Stored, on_record: Basis, names: Mapping[str, str]) -> Reading:
    if not on_record.of_trend.tables:
        return Reading(VERSIONS, gone="no table versions were recorded with it")
    first = PinnedLake(lake, on_record.of_trend.tables)
    second = PinnedLake(lake, on_record.of_recommendation.tables)
    try:
        return _reading(VERSIONS, wanted, _again(first, second, found, on_record, names))
    except VersionGoneError as error:
        return Reading(VERSIONS, gone=str(error))


def _reading(name: str, wanted: Rows, again: Rows) -> Reading:
    return Reading(name, _differences(wanted, again), sha256_text(canonical(again)))


def _told(by_knowledge: Reading, by_versions: Reading) -> Sequence[str]:
    """What the two readings mean beside each other."""
    if by_versions.gone and by_knowledge.equal:
        return (f"{by_versions.gone}; read by knowledge time the bytes are equal all the same",)
    if by_versions.gone:
        return (f"{by_versions.gone}; whether the difference lies in rows that came later can no longer be told",)
    if by_versions.equal and not by_knowledge.equal:
        return (
            "rows came late, or were replaced, after it was computed: as the tables stand now it comes out otherwise",
        )
    return ()


def canonical(rows: Rows) -> str:
    """Rows as one text: equal texts are equal rows, to the last bit of every number."""
    return json.dumps([[*key, rows[key]] for key in sorted(rows)], sort_keys=True, default=_text, ensure_ascii=False)


def _text(value: Any) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)


def _stored_rows(found: Stored) -> Rows:
    return _keyed([found.trend], found.trend_evidence, [found.recommendation], found.evidence)


def _keyed(
    trends: Iterable[Row], ranked: Iterable[Row], recommendations: Iterable[Row], evidence: Iterable[Row]
) -> Rows:
    parts = ((TREND_HISTORY, trends), (TREND_EVIDENCE, ranked), (RECOMMENDATIONS, recommendations))
    keyed: dict[tuple[str, str], Row] = {}
    for table, rows in (*parts, (RECOMMENDATION_EVIDENCE, evidence)):
        for row in rows:
            key = str(row["rank"]) if "rank" in row else str(row[table.key[0]])
            keyed[table.name, key] = {name: row[name] for name in table.schema.names if name != PROVENANCE}
    return keyed


def _again(first: LakeReader, second: LakeReader, found: Stored, on_record: Basis, names: Mapping[str, str]) -> Rows:
    """The rows once more; the trend's inputs are read from `first`, the recommendation's from `second`."""
    as_of, ticker, window = found.as_of, found.ticker, found.window
    since = on_record.calendar.previous_close(as_of)
    signals = known_signals(first, as_of, tickers=[ticker])
    trends, ranked = aggregate(signals, as_of, on_record.weights, since, windows=(window,))
    priceless = "market" in found.trend["degraded"].split(",")
    market = without_market([ticker]) if priceless else market_around(first, on_record.calendar, [ticker], as_of)
    rows = trend_rows(trends, market, as_of, found.trend["degraded"], found.trend[PROVENANCE]).to_pylist()
    best = of_day(ranked, as_of.date()).to_pylist()
    if not rows:
        return _keyed((), (), (), ())
    unread = on_record.of_recommendation.unread
    projected = _projected(second, found, on_record)
    said = spoken(rows[0], best, projected)
    quoted = sentences(Without(second, unread), best, as_of).sentences
    shown = [(row, quoted[row["signal_id"]]) for row in best if row["signal_id"] in quoted]
    unseen = len(best) - len(shown)
    words = words_for(rows[0], said.verdict, shown, names, projected, lacking=lacking_of(unread), unseen=unseen)
    given = found.recommendation
    author = given["thesis_author"]
    prose = words if author == TEMPLATE else given["thesis"]
    span = SHAPES[window].length(as_of, since)
    recommendation = recommendation_row(rows[0], said, span, prose, given[PROVENANCE], author)
    return _keyed(rows, best, [recommendation], evidence_rows(said, shown))


def _projected(lake: LakeReader, found: Stored, on_record: Basis) -> float | None:
    """The score that the trend was projected to at its instant, from the history of that time; None where it was not."""
    if TREND_PROJECTIONS.name in on_record.of_recommendation.unread:
        return None
    key = (found.ticker, str(found.window))
    points = score_history(lake, found.as_of, key).get(key)
    if not points:
        return None
    row = projection_row(key, points, on_record.calendar, on_record.projection_threshold)
    return None if row is None or row["as_of"] != found.as_of else float(row["projected_score"])


def _differences(wanted: Rows, again: Rows) -> tuple[Difference, ...]:
    differences = []
    for table, key in sorted({*wanted, *again}):
        before, after = wanted.get((table, key)), again.get((table, key))
        if before is None or after is None:
            whole = {"stored": None if before is None else "a row", "again": None if after is None else "a row"}
            differences.append(Difference(table, key, "", **whole))
            continue
        differences += [
            Difference(table, key, column, before[column], after[column])
            for column in before
            if _bits(before[column]) != _bits(after[column])
        ]
    return tuple(differences)


def _bits(value: Any) -> Any:
    return value.hex() if isinstance(value, float) else value


def _formulas(on_record: Basis) -> Sequence[str]:
    then = on_record.of_trend.formulas
    if then is None or then == FORMULAS:
        return ()
    return (f"it was computed by version {then} of the formulas, and these are version {FORMULAS}",)
