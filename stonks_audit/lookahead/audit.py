"""The walk over the instants: extend the truncated lake, compute, plant, compare.

The truncated lake is held against four others. The whole lake: a stage that reads past its instant finds later documents,
bars and records there. Hindsight: derived tables hold later rows as well, as in a system that went on, so that what is
concluded from them is tried too. Planted rows, known or published a second too late. And one row known in time, which must
be heard: a stage that is deaf would pass all else.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date, datetime, timedelta
from itertools import chain
from pathlib import Path
from typing import Any

from stonks_assets.aggregation.windows import LONGEST
from stonks_audit.lookahead.comparing import Leak, changed_tickers, known_later, leaks, rows_of
from stonks_audit.lookahead.plants import IN_TIME, Planting, Row, harmless, shifted
from stonks_audit.lookahead.sides import (
    AS_THEY_ARE,
    DERIVED,
    GIVEN,
    PARSED,
    PRICED,
    RAW,
    TOLD,
    Side,
    Sides,
    Stages,
    sides,
    told_days,
)
from stonks_core.settings import Settings
from stonks_core.stores.lake.gold_tables import TREND_HISTORY
from stonks_core.stores.lake.lake import Lake
from stonks_core.stores.lake.outcome_tables import OUTCOMES
from stonks_core.stores.lake.silver_tables import IMPACT_RECORDS
from stonks_core.stores.lake.tables import LakeTable

WHOLE, HINDSIGHT, PLANTED = "the whole lake", "hindsight", "planted rows"
UNFINISHED = "sessions that are not over"
_PLACED = timedelta(days=14)
"""How far back a late signal may change its neighbours."""
_OUTCOMES_REACH = timedelta(days=46)
_PLANTED_DAYS = timedelta(days=3)


@dataclass
class Audited:
    """What an audit found. `compared` counts rows by asset, `planted` plants by kind; `notes` are sentences."""

    instants: int = 0
    compared: dict[str, int] = field(default_factory=dict)
    planted: dict[str, int] = field(default_factory=dict)
    leaks: list[Leak] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def clean(self) -> bool:
        """Whether nothing leaked."""
        return not self.leaks

    @property
    def empty(self) -> bool:
        """Whether there was nothing to compare, so that nothing is proved."""
        return not any(self.compared.values())

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self) | {"clean": self.clean}

    def count(self, asset: str, rows: int) -> None:
        """So many rows of an asset were compared."""
        self.compared[asset] = self.compared.get(asset, 0) + rows


def audit(
    settings: Settings,
    database: str,
    source: Lake,
    at: Sequence[datetime],
    folder: Path,
    *,
    tickers: Collection[str] = (),
    stages: Stages = AS_THEY_ARE,
) -> Audited:
    """Audit the stages over a lake at instants (rising), in an empty folder; `database` is the name of the lake's own.

    Neither the lake nor the database is written. `tickers` narrow what is compared, not what is computed.
    """
    audited = Audited()
    with sides(settings, database, source, folder, at[0]) as both:
        both.foresee(stages, _first_day(at[0]), at[-1])
        before: datetime | None = None
        for instant in at:
            _Instant(both, audited, frozenset(tickers), stages, before, instant).look()
            before = instant
        audited.instants = len(at)
        audited.notes += [*both.truncated.noted(), *both.whole.noted(), *both.hindsight.noted()]
    return audited


@dataclass(frozen=True)
class _Instant:
    """One instant of the walk, after another one or as the first."""

    both: Sides
    audited: Audited
    tickers: frozenset[str]
    stages: Stages
    before: datetime | None
    at: datetime

    def look(self) -> None:
        """Compute the instant on all sides and compare."""
        self.both.extend(_reach(self.at), self.before, self.at)
        days = self._days()
        # Older days can hold no plant, so that the copies need not work on them again.
        older, recent = [day for day in days if day < self._recent], [day for day in days if day >= self._recent]
        self.both.truncated.refine(self.stages, older, self.at)
        self.both.whole.refine(self.stages, older, self.at)
        known = self._known()
        planting = harmless(known, self.at)
        in_time = self._in_time(known)
        # The copies are made before anything of the instant is computed, and compute it themselves.
        with self.both.copied("planted") as planted, self.both.copied("in time") as timely:
            _plant(planted, planting)
            _plant(timely, in_time)
            for side in (self.both.truncated, self.both.whole, planted, timely):
                side.refine(self.stages, recent, self.at)
                side.conclude(self.stages, self.at)
            self.both.hindsight.conclude(self.stages, self.at)
            self._compare(self.both.whole, WHOLE)
            self._compare(planted, PLANTED)
            self._compare_conclusions()
            self._boundary(timely, in_time)
            self._parsed(planted)
            self.audited.notes += planted.noted()
        self._unfinished()
        for kind, count in chain(planting.counts.items(), in_time.counts.items()):
            self.audited.planted[kind] = self.audited.planted.get(kind, 0) + count

    def _days(self) -> list[date]:
        """The days to be computed: all that a window reads at first, then those since the last instant."""
        first = _first_day(self.at) if self.before is None else self.before.date() - timedelta(days=1)
        return told_days(self.both.truncated.lake, first, self.at.date())

    @property
    def _recent(self) -> date:
        """The first day whose rows plants are made of."""
        lately = (self.at - _PLANTED_DAYS).date()
        return lately if self.before is None else max(lately, self.before.date() - timedelta(days=1))

    def _known(self) -> Mapping[LakeTable, list[Row]]:
        """What became known lately, by given table, the newest last."""
        days = (self._recent, self.at.date())
        lake = self.both.truncated.lake
        found = {table: lake.read(table, days=days).to_pylist() for table in GIVEN if table not in PARSED}
        return {
            table: sorted(rows, key=lambda row: (row["available_at"], *(str(row[name]) for name in table.key)))
            for table, rows in found.items()
        }

    def _in_time(self, known: Mapping[LakeTable, list[Row]]) -> Planting:
        """The newest record, told once more and known at the very instant."""
        planting = Planting()
        records = [row for row in known[IMPACT_RECORDS] if not self.tickers or row["ticker"] in self.tickers][-1:]
        planting.add(IN_TIME, IMPACT_RECORDS, (shifted(row, self.at, self.at) for row in records))
        return planting

    def _compare(self, side: Side, against: str) -> None:
        for table, asset in DERIVED.items():
            days = self._days_of(table)
            ours, theirs = (rows_of(one.lake, table, days) for one in (self.both.truncated, side))
            self.audited.count(asset, len(ours))
            self.audited.leaks += leaks(asset, self.at, against, ours, theirs, self.tickers)
            late = known_later(asset, table, side.lake, self.at, against)
            self.audited.leaks += (leak for leak in late if not self.tickers or leak.ticker in {"", *self.tickers})

    def _compare_conclusions(self) -> None:
        """What was concluded for this instant, beside the same with hindsight."""
        today = (self.at.date(), self.at.date())
        for table, asset in DERIVED.items():
            if table.knowledge != "as_of":
                continue
            ours, theirs = (
                {key: row for key, row in rows_of(one.lake, table, today).items() if row["as_of"] == self.at}
                for one in (self.both.truncated, self.both.hindsight)
            )
            self.audited.count(asset, len(ours))
            self.audited.leaks += leaks(asset, self.at, HINDSIGHT, ours, theirs, self.tickers)

    def _days_of(self, table: LakeTable) -> tuple[date, date]:
        """The days of a derived table that this instant may have changed."""
        back = _OUTCOMES_REACH if table is OUTCOMES else _PLACED
        return (self.at - (LONGEST if self.before is None else back)).date(), self.at.date()

    def _boundary(self, timely: Side, in_time: Planting) -> None:
        """A record known at the instant counts, for its own company and for those that it reaches as a competitor."""
        for row in in_time.rows.get(IMPACT_RECORDS, []):
            today = (self.at.date(), self.at.date())
            ours, theirs = (rows_of(one.lake, TREND_HISTORY, today) for one in (self.both.truncated, timely))
            changed = changed_tickers(ours, theirs)
            universe = self.both.truncated.pipeline.universe(self.at)
            reached = {pair.competitor for pair in universe.competitors if pair.ticker == row["ticker"]}
            asset, ticker = DERIVED[TREND_HISTORY], row["ticker"]
            if ticker not in changed:
                said = ("is not counted", "a record known at this instant counts")
                self.audited.leaks.append(Leak(asset, self.at, IN_TIME, ticker, row["impact_id"], "", *said))
            for other in sorted(changed - reached - {ticker}):
                said = ("untouched", f"changed by news of {ticker} alone")
                self.audited.leaks.append(Leak(asset, self.at, IN_TIME, other, row["impact_id"], "", *said))

    def _parsed(self, planted: Side) -> None:
        """Documents, their clusters and mentions, read anew from the raw rows of the day."""
        today = (self.at.date(), self.at.date())
        lakes = [side.read(self.stages, self.at) for side in (self.both.truncated, self.both.whole, planted)]
        for table in PARSED:
            ours, whole, late = (rows_of(lake, table, today) for lake in lakes)
            self.audited.count(table.name, len(ours))
            self.audited.leaks += leaks(table.name, self.at, WHOLE, ours, whole, self.tickers)
            self.audited.leaks += leaks(table.name, self.at, PLANTED, ours, late, self.tickers)

    def _unfinished(self) -> None:
        """No outcome is there before its last session was over and known."""
        calendar = self.both.whole.pipeline.calendar
        for key, row in rows_of(self.both.whole.lake, OUTCOMES, self._days_of(OUTCOMES)).items():
            session = calendar.session(date.fromisoformat(row["end_day"]))
            closed = session.close if session else row["available_at"]
            if max(closed, row["available_at"]) > self.at:
                said = ("available_at", "none yet", row["available_at"])
                self.audited.leaks.append(Leak("outcomes", self.at, UNFINISHED, row["ticker"], "/".join(key), *said))


def _first_day(at: datetime) -> date:
    """The first day that a window reads at an instant."""
    return (at - LONGEST).date() - timedelta(days=1)


def _plant(side: Side, planting: Planting) -> None:
    for table, rows in planting.rows.items():
        side.lake.merge(table, rows)


def _reach(at: datetime) -> Mapping[LakeTable, tuple[date, date]]:
    """The days of each given table that an instant needs: samples of patterns lie up to a year before a window's news.

    What is known may stand under a day to come, as a split stands under its ex-date.
    """
    today, ahead = at.date(), at.date() + timedelta(days=366)
    window = today - LONGEST - timedelta(days=1)
    year = window - timedelta(days=366 + 14)
    return {
        **_since(year, ahead, (IMPACT_RECORDS, *PRICED)),
        **_since(window, ahead, (table for table in (*TOLD, *PARSED) if table is not IMPACT_RECORDS)),
        **_since(today - _PLANTED_DAYS, ahead, RAW),
    }


def _since(first: date, last: date, tables: Iterable[LakeTable]) -> Mapping[LakeTable, tuple[date, date]]:
    return dict.fromkeys(tables, (first, last))
